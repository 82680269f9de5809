internal import EngineInterface
internal import SystemIO

extension EmbeddedEngine {
  /// How long a tool may take, in milliseconds; it changes tables, never a disk's data.
  private static let toolDeadline = 300_000

  /// Runs a program to its end; what it complains of becomes the error's words.
  ///
  /// - Throws: `EngineError` where it can't be started or does not end with status 0.
  func runTool(_ executable: String, _ arguments: [String]) throws {
    let name = executable.split(separator: "/").last.map(String.init) ?? executable
    guard fileExists(executable) else {
      throw EngineError(
        "missing-program", "\(executable) is not there",
        help: "install it; `ingot doctor` tells the package")
    }
    let result = try SpawnRequest(executable, arguments, environment: ["LC_ALL=C.UTF-8"])
      .run(milliseconds: Self.toolDeadline, host: host)
    guard result.end == .exited(0) else {
      let words = String(decoding: result.errorOutput, as: UTF8.self)
        .split(separator: "\n").joined(separator: "; ")
      throw EngineError(
        "failed", "\(name) \(arguments.first ?? "") failed: \(words)",
        help: "run `\(([name] + arguments).joined(separator: " "))` by hand to see more")
    }
  }
}
