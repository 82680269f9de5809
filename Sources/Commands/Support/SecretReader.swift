internal import EngineInterface
internal import Glibc
internal import Resources
internal import SystemIO

/// Reads secrets from files, the environment and commands.
///
/// One line break at the end of a file or of a command's output is not part of the value. Errors
/// name the source and nothing of what it gave.
struct SecretReader: SecretSource {
  let environment: Environment
  let host: HostContext

  /// The most bytes that a secret may have.
  private static let sizeLimit = 64 << 10
  /// How long a command may take, in milliseconds.
  private static let deadline = 30_000

  func value(of secret: MachineSpecification.Secret) throws(SecretError) -> String {
    switch secret.source {
    case .file(let path): try file(path)
    case .environment(let name): try variable(name)
    case .command(let arguments): try command(arguments)
    }
  }

  private func file(_ path: String) throws(SecretError) -> String {
    let bytes: [UInt8]
    do throws(SystemError) {
      bytes = try readFile(path, limit: Self.sizeLimit)
    } catch {
      throw SecretError(
        error.description,
        help: error.isNotFound ? "a relative path starts at the manifest's directory" : nil)
    }
    return try text(bytes, of: "the file \(path)")
  }

  private func variable(_ name: String) throws(SecretError) -> String {
    guard let value = getenv(name) else {
      throw SecretError(
        "the environment variable \(name) is not set", help: "export \(name) before the command")
    }
    return try text(Array(String(cString: value).utf8), of: "the environment variable \(name)")
  }

  private func command(_ arguments: [String]) throws(SecretError) -> String {
    let name = arguments.first ?? ""
    let found = name.contains("/") ? environment.absolute(name) : environment.program(name)
    guard let executable = found else {
      throw SecretError("the command '\(name)' is not on PATH", help: "write its whole path")
    }
    let result: CapturedOutput
    do throws(SystemError) {
      result = try SpawnRequest(
        executable, Array(arguments.dropFirst()), environment: Environment.all(),
        newSession: false
      ).run(milliseconds: Self.deadline, limit: Self.sizeLimit, host: host)
    } catch {
      throw SecretError("the command '\(name)' can't be run: \(error.description)")
    }
    switch result.end {
    case .exited(0): return try text(result.output, of: "the output of '\(name)'")
    case .exited(let status): throw SecretError("the command '\(name)' exited with \(status)")
    case .signalled(let number):
      throw SecretError("the command '\(name)' was ended by signal \(number)")
    case nil:
      throw SecretError(
        "the command '\(name)' took longer than \(Self.deadline / 1000)s or wrote more than"
          + " \(Self.sizeLimit >> 10) KiB")
    }
  }

  private func text(_ bytes: [UInt8], of source: String) throws(SecretError) -> String {
    guard bytes.count <= Self.sizeLimit else {
      throw SecretError("\(source) has more than \(Self.sizeLimit >> 10) KiB")
    }
    var bytes = bytes
    if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
    if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
    guard !bytes.isEmpty else { throw SecretError("\(source) is empty") }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw SecretError("\(source) is no UTF-8 text", help: "encode it, for example in base64")
    }
    return text
  }
}
