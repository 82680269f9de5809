internal import EngineInterface
internal import Monitor
internal import Resources
internal import SystemIO

/// The end of what a guest wrote on its serial console.
enum ConsoleTail {
  /// How many lines are shown where a machine did not become ready.
  static let lines = 10

  /// The last lines of this boot, made harmless for the terminal; what can't be read is passed
  /// over, the wait's own message stands.
  static func read(_ machine: ObservedResource, _ session: EngineSession) async -> [String] {
    let directory = session.machineDirectory(machine)
    let host = session.host
    let read: @Sendable () throws -> [UInt8] = {
      var start: Int?
      if case .running(let record) = try MachineReport.read(directory, host: host).guest {
        start = record.consoleStart
      }
      return try ConsoleHistory.read(directory, since: start, limit: 1 << 16).bytes
    }
    do {
      return ConsoleText.lastLines(lines, of: try await blocking(read))
    } catch {
      // Without a log there is nothing to add to what was said.
      return []
    }
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
