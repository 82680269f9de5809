import Subprocess
import SystemPackage
import Testing

/// Runs a script of a test's own with bash; it must succeed.
///
/// In it `root DISK` answers what e2fsprogs call the last partition of a raw disk.
///
/// - Parameter launcher: a program and its first arguments that bash is run by.
@discardableResult
func shell(
  _ script: String, in directory: String, by launcher: [String] = [],
  sourceLocation: SourceLocation = #_sourceLocation
) async throws -> String {
  let root = """
    root() {
      local start=$(sfdisk -J $1 | grep -o '"start": *[0-9]*' | grep -o '[0-9]*' | tail -n 1)
      echo "$1?offset=$((start * 512))"
    }

    """
  let result = try await Subprocess.run(
    .name("env"), arguments: Arguments(launcher + ["bash", "-c", root + script]),
    environment: .inherit.updating(["LC_ALL": "C"]), workingDirectory: FilePath(directory),
    output: .string(limit: 1 << 26), error: .string(limit: 1 << 24))
  try #require(
    result.terminationStatus.isSuccess,
    "\(script)\n\(result.standardOutput)\n\(result.standardError)",
    sourceLocation: sourceLocation)
  return result.standardOutput
}
