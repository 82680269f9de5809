internal import Networking
internal import SystemIO

/// The kernel's settings of the caller's network namespace, as files below `/proc/sys`.
enum KernelSetting {
  /// What a setting is: `net/ipv4/ip_forward`; nil where the kernel has none of the name.
  static func value(of name: String) throws -> String? {
    let path = try path(name)
    guard fileExists(path) else { return nil }
    let text = String(decoding: try readFile(path, limit: 4096), as: UTF8.self)
    return text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }

  /// Sets a setting, where it is another; false where the kernel has none of the name.
  static func set(_ name: String, to value: String) throws -> Bool {
    guard let now = try self.value(of: name) else { return false }
    if now != value { try Descriptor.open(path(name), .write).write(Array(value.utf8)) }
    return true
  }

  private static func path(_ name: String) throws(NetworkError) -> String {
    guard name.hasPrefix("net/"), !name.split(separator: "/").contains("..") else {
      throw NetworkError("'\(name)' is no setting of networks")
    }
    return "/proc/sys/" + name
  }
}
