import Glibc
import JSON
import Subprocess
import SystemIO
import SystemPackage
import TestSupport
import Testing

/// The built `ingot` with a home of its own, as a user would type it.
struct Ingot {
  let home: String
  let directory: String
  /// Variables beside those of the test's own environment.
  var environment: [String: String] = [:]
  /// A program and its first arguments that ingot is run by; empty where it just runs.
  var launcher: [String] = []
  /// The executable where it isn't the built one itself.
  var program: String?

  /// What a command answered.
  struct Answer {
    var code: Int32
    var output: String
    var errors: String
  }

  /// The built executable; `INGOT_BIN` names the folder of another build.
  static func executable() throws -> String {
    if let folder = getenv("INGOT_BIN") { return String(cString: folder) + "/ingot" }
    return try BuiltProducts.path(of: "ingot")
  }

  private var variables: Subprocess.Environment {
    .inherit.updating(["INGOT_HOME": home, "NO_COLOR": "1"]).updating(
      Dictionary(uniqueKeysWithValues: environment.map { (.init(stringLiteral: $0.key), $0.value) })
    )
  }

  /// The command of some arguments, its program first.
  private func command(_ arguments: [String]) throws -> [String] {
    launcher + [try program ?? Self.executable()] + arguments
  }

  /// Runs a command to its end.
  func run(_ arguments: [String], input: String = "") async throws -> Answer {
    let result = try await Subprocess.run(
      .name("env"), arguments: Arguments(try command(arguments)), environment: variables,
      workingDirectory: FilePath(directory), input: .string(input),
      output: .string(limit: 1 << 24), error: .string(limit: 1 << 24))
    let code: Int32
    switch result.terminationStatus {
    case .exited(let status): code = status
    case .signaled(let signal): code = 128 + signal
    }
    return Answer(
      code: code, output: result.standardOutput, errors: result.standardError)
  }

  /// Runs a command that must succeed.
  @discardableResult
  func succeed(_ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation)
    async throws -> String
  {
    let answer = try await run(arguments)
    try #require(
      answer.code == 0,
      "ingot \(arguments.joined(separator: " ")) ended with \(answer.code):\n\(answer.errors)",
      sourceLocation: sourceLocation)
    return answer.output
  }

  /// What a machine does at the moment, as `get -o json` says.
  func machine(_ name: String) async throws -> JSONValue {
    let value = try JSONValue(parsing: try await succeed("get", "vm/\(name)", "-o", "json"))
    return try #require((value["items"]?.array?.first ?? value)["status"]?["machine"])
  }

  /// Starts a command, kills it with SIGKILL after some milliseconds unless it ended, and waits.
  func runAndKill(_ arguments: [String], afterMilliseconds delay: Int) async throws {
    _ = try await Subprocess.run(
      .path(FilePath(Self.executable())), arguments: Arguments(arguments),
      environment: variables, workingDirectory: FilePath(directory), input: .none,
      output: .discarded, error: .discarded
    ) { execution in
      try await Task.sleep(for: .milliseconds(delay))
      // It may have ended before; then there is nobody to kill.
      try? execution.send(signal: .kill)
    }
  }

  /// The processes that belong to this home: the process id and the executable's name.
  func processes() throws -> [(id: Int32, name: String)] {
    var found: [(Int32, String)] = []
    for name in try namesInDirectory("/proc") {
      guard let id = Int32(name), id != getpid() else { continue }
      // A process may end while it is looked at; then it is none of ours any more.
      guard let line = try? readFile("/proc/\(id)/cmdline", limit: 1 << 20), !line.isEmpty else {
        continue
      }
      let arguments = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
      guard let executable = arguments.first, arguments.contains(where: { $0.contains(home) })
      else { continue }
      found.append((id, String(executable.split(separator: "/").last ?? "")))
    }
    return found
  }

  /// Every file below the home, sorted.
  func files(below path: String? = nil) throws -> [String] {
    let root = path ?? home
    var all: [String] = []
    for name in try namesInDirectory(root) {
      let full = root + "/" + name
      all.append(full)
      if isDirectory(full) { all += try files(below: full) }
    }
    return all
  }

  /// What of a machine, a volume or an image stands below the home.
  func things() throws -> [String] {
    try files().filter { path in
      [".qcow2", ".raw", ".sock", ".iso", "/journal", ".json", "vmlinuz", "initrd", ".partial"]
        .contains { path.hasSuffix($0) }
    }
  }

  private func isDirectory(_ path: String) -> Bool {
    var status = Glibc.stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}
