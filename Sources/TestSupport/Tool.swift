internal import Foundation

/// A program of the field whose verdict a test asks for.
public struct Tool: Sendable {
  /// What a run came to.
  public struct Result: Sendable {
    /// The exit status; 128 plus the signal's number where one ended it.
    public let status: Int32
    /// What it said, standard output and standard error as they came.
    public let output: String
  }

  /// A run that failed, or a program that is missing.
  public struct Failure: Error, CustomStringConvertible {
    /// The command, its status and what it said.
    public let description: String
  }

  /// Runs a program found on the path or in the system's directories, with an empty input.
  ///
  /// - Parameter directory: where it runs; the current one by default.
  public static func run(
    _ name: String, _ arguments: [String], in directory: String? = nil
  ) throws -> Result {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    let places = path.split(separator: ":").map(String.init) + ["/usr/sbin", "/sbin"]
    guard
      let place = places.first(where: {
        FileManager.default.isExecutableFile(atPath: $0 + "/" + name)
      })
    else { throw Failure(description: "\(name) is not installed; this test needs it") }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: place + "/" + name)
    process.arguments = arguments
    if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
    process.standardInput = FileHandle.nullDevice
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    let signal: Int32 = process.terminationReason == .uncaughtSignal ? 128 : 0
    return Result(
      status: signal + process.terminationStatus, output: String(decoding: data, as: UTF8.self))
  }

  /// Runs a program that must succeed and answers what it said.
  @discardableResult
  public static func check(
    _ name: String, _ arguments: [String], in directory: String? = nil
  ) throws -> String {
    let result = try run(name, arguments, in: directory)
    guard result.status == 0 else {
      let command = ([name] + arguments).joined(separator: " ")
      throw Failure(description: "\(command): status \(result.status): \(result.output)")
    }
    return result.output
  }
}
