internal import Archive
internal import ArgumentParser
internal import EmbeddedEngine
internal import JSON
internal import QEMU
internal import SystemIO
internal import XML
internal import YAML

struct VersionCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "version", abstract: "Print the versions of ingot and of what it is built on.")

  @Flag(name: .shortAndLong, help: "Ask QEMU for its version too, which starts it.")
  var verbose = false
  @Option(name: .shortAndLong, help: "How it is printed.")
  var output: ReportFormat = .table

  func run() async throws {
    var parts = try LibraryVersions.all()
    if verbose {
      let path = Environment.current().path.joined(separator: ":")
      parts.append(("qemu", try await blocking { Self.qemuVersion(path) }))
    }
    if output == .json {
      var value: JSONValue = ["format_version": "1.0", "ingot": .string(ingotVersion)]
      for (name, version) in parts { value[name] = .string(version) }
      return TextStream.output.line(value.text(pretty: true))
    }
    TextStream.output.line("ingot \(ingotVersion)")
    for (name, version) in parts { TextStream.output.line("  \(padded(name, to: 12))\(version)") }
  }

  private static func qemuVersion(_ path: String) -> String {
    do {
      let qemu = try QEMUBinary.find(searchPath: path, host: .live())
      return "\(qemu.version) (\(qemu.path))"
    } catch {
      return "\(error)"
    }
  }
}

/// The versions of what this build contains.
enum LibraryVersions {
  /// By name, in order.
  static func all() throws -> [(String, String)] {
    // libarchive names itself and what it decompresses with.
    let archive = libarchiveVersion().split(separator: " ").dropFirst()
    let parts = archive.dropFirst().joined(separator: ", ")
    return [
      ("swift", swift), ("libyaml", libyamlVersion()),
      ("libarchive", (archive.first.map(String.init) ?? "") + (parts.isEmpty ? "" : " (\(parts))")),
      ("sqlite", try sqliteVersion()), ("libxml2", libxml2Version),
    ]
  }

  /// The compiler this was built with.
  private static var swift: String {
    #if compiler(>=6.4)
      "6.4 or later"
    #elseif compiler(>=6.3)
      "6.3"
    #else
      "6.2"
    #endif
  }
}
