internal import EngineInterface
internal import Monitor
internal import Resources
internal import SystemIO

/// The end of what a guest wrote on its serial console.
enum ConsoleTail {
  /// How many lines are shown where a machine did not become ready.
  static let lines = 10

  /// Shows the last lines on standard error; what can't be read is passed over, the wait's own
  /// message stands.
  static func show(_ machine: ObservedResource, _ session: EngineSession) async {
    let directory = session.machineDirectory(machine)
    let read: @Sendable () throws -> [UInt8] = { try ConsoleLogFiles.read(directory) }
    var log: [UInt8] = []
    do {
      log = try await blocking(read)
    } catch {
      // Without a log there is nothing to add to what was said.
      return
    }
    let text = last(lines, of: log)
    guard !text.isEmpty else { return }
    TextStream.errors.line("The console of \(machine.resource.id.name) ends with:")
    for line in text { TextStream.errors.line("  | \(line)") }
  }

  /// The last lines that are not empty, made harmless for the terminal.
  static func last(_ count: Int, of log: [UInt8]) -> [String] {
    let text = String(decoding: log.suffix(1 << 16), as: UTF8.self)
    let lines = text.split(whereSeparator: \.isNewline).map { line in
      sanitized(withoutEscapes(String(line)))
    }
    return Array(lines.filter { line in line.contains { $0 != " " } }.suffix(count))
  }

  /// The text without ECMA-48 control sequences, which would be noise between the words.
  private static func withoutEscapes(_ text: String) -> String {
    enum Place { case text, escape, sequence }
    var kept = ""
    var place = Place.text
    for scalar in text.unicodeScalars {
      switch place {
      case .text where scalar == "\u{1b}": place = .escape
      case .text: kept.unicodeScalars.append(scalar)
      // ESC [ … final byte; any other ESC takes one character with it.
      case .escape: place = scalar == "[" ? .sequence : .text
      case .sequence: if (0x40...0x7e).contains(scalar.value) { place = .text }
      }
    }
    return kept
  }
}

/// The files that hold what a guest wrote.
enum ConsoleLogFiles {
  /// The whole log, the older part first; empty where the machine never ran.
  static func read(_ directory: MachineDirectory) throws -> [UInt8] {
    var bytes: [UInt8] = []
    for path in [directory.olderConsoleLog, directory.consoleLog] where fileExists(path) {
      bytes += try readFile(path)
    }
    return bytes
  }
}
