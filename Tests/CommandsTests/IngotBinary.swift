import Foundation
import TestSupport

/// The built executable, run as users do in a directory of its own.
struct IngotBinary {
  /// What a run came to.
  struct Run {
    var status: Int32
    var output: String
    var errors: String
  }

  let scratch: Scratch

  /// Runs it with a home below the directory.
  func run(
    _ arguments: [String], input: String = "", environment: [String: String] = [:]
  ) throws -> Run {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try BuiltProducts.path(of: "ingot"))
    process.arguments = arguments
    process.environment = [
      "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "", "INGOT_HOME": scratch.file("home"),
      "HOME": scratch.path,
    ].merging(environment) { _, new in new }
    process.currentDirectoryURL = URL(fileURLWithPath: scratch.path)
    // Files, not pipes: no reader is needed while the process runs.
    try scratch.write("stdin", input)
    for name in ["stdout", "stderr"] { try scratch.write(name, "") }
    process.standardInput = FileHandle(forReadingAtPath: scratch.file("stdin"))
    process.standardOutput = FileHandle(forWritingAtPath: scratch.file("stdout"))
    process.standardError = FileHandle(forWritingAtPath: scratch.file("stderr"))
    try process.run()
    process.waitUntilExit()
    func text(_ name: String) throws -> String {
      try String(contentsOfFile: scratch.file(name), encoding: .utf8)
    }
    return Run(
      status: process.terminationStatus, output: try text("stdout"), errors: try text("stderr"))
  }
}
