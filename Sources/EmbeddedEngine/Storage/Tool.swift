internal import EngineInterface
internal import Glibc
internal import SystemIO

/// Runs a program to its end.
///
/// Blocks; its standard error becomes the error's words.
///
/// - Throws: `EngineError` `failed` where it can't be started or ends with another status than 0.
func runTool(_ executable: String, _ arguments: [String]) throws {
  let name = executable.split(separator: "/").last.map(String.init) ?? executable
  let child = try start(executable, arguments)
  let complaint = try child.output.readAll(limit: 1 << 20)
  var status: Int32 = 0
  // The child has not been waited for, so that its number is still its own.
  try checked("wait for", name) { waitpid(child.pid, &status, 0) }
  guard status == 0 else {
    let words = String(decoding: complaint, as: UTF8.self).split(separator: "\n").joined(
      separator: "; ")
    throw EngineError(
      "failed", "\(name) \(arguments.first ?? "") failed: \(words)",
      help: "run `\(([name] + arguments).joined(separator: " "))` by hand to see more")
  }
}

/// Starts a program; our copy of the pipe's writing end is closed when this returns, so that its
/// end is seen.
private func start(
  _ executable: String, _ arguments: [String]
) throws -> (pid: Int32, output: Descriptor) {
  let pipe = try makePipe(name: "the standard error of \(executable)")
  guard fileExists(executable) else {
    throw EngineError(
      "missing-program", "\(executable) is not there",
      help: "install it; `ingot doctor` tells the package")
  }
  let request = SpawnRequest(
    executable, arguments, environment: ["LC_ALL=C.UTF-8"],
    descriptors: [(target: 2, source: pipe.write)])
  return (try request.spawn(), pipe.read)
}
