import Glibc

/// Who runs ingot on a test's host.
enum Caller: String, CaseIterable, Sendable, CustomStringConvertible {
  case root
  case user

  var description: String { self == .root ? "root" : "an ordinary user" }

  /// Those that can be tried: an ordinary user becomes root in a user namespace, and nobody else there.
  ///
  /// `INGOT_TEST_CALLER` takes one of them.
  static var all: [Caller] {
    let possible: [Caller] = getuid() == 0 ? [.root, .user] : [.root]
    guard let wanted = getenv("INGOT_TEST_CALLER") else { return possible }
    return possible.filter { $0.rawValue == String(cString: wanted) }
  }

  /// The ordinary user's id: `daemon`, whom every Linux knows, as ssh wants it.
  static let userID = "1"

  /// What runs a program as this one, on a host where it would run as root.
  var launcher: [String] {
    switch self {
    case .root: []
    case .user:
      ["setpriv", "--reuid", Self.userID, "--regid", Self.userID, "--clear-groups"]
    }
  }
}
