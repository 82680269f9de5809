internal import EngineInterface
internal import Glibc
internal import SystemIO

extension EngineActor {
  /// Who runs this process, with a command line that is free of secrets.
  static func current(_ arguments: [String]) -> EngineActor {
    let user = geteuid()
    return EngineActor(
      userID: user, userName: name(of: user),
      loginName: loginID().flatMap { $0 == user ? nil : name(of: $0) ?? "user \($0)" },
      command: RedactedCommandLine.text(arguments), processID: getpid())
  }

  /// The user who logged in, as the kernel remembers it through sudo(8) and su(1); nil where the
  /// process was started by no login (proc(5), `loginuid`).
  private static func loginID() -> UInt32? {
    // A kernel without auditing has no such file; then nobody is named beside the user.
    guard let bytes = try? readFile("/proc/self/loginuid", limit: 64),
      let id = UInt32(String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }),
      id != UInt32.max
    else { return nil }
    return id
  }

  private static func name(of user: UInt32) -> String? {
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 1 << 14)
    let isFound = getpwuid_r(user, &entry, &buffer, buffer.count, &found) == 0 && found != nil
    return isFound ? entry.pw_name.map { String(cString: $0) } : nil
  }
}
