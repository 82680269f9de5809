internal import ArgumentParser

/// A port of the host and the guest's port that it leads to, on the command line: `80`, `8080:80`,
/// `:80` for any port of the host, `5353:53/udp`.
struct PortPair: ExpressibleByArgument, Hashable {
  /// The host's port; nil for any.
  var host: UInt16?
  /// The guest's port.
  var guest: UInt16
  /// Whether it is for datagrams.
  var isUDP: Bool

  /// Reads one.
  init?(argument: String) {
    let parts = argument.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count <= 2, parts.count == 1 || ["tcp", "udp"].contains(parts[1]) else {
      return nil
    }
    isUDP = parts.count == 2 && parts[1] == "udp"
    let ports = parts[0].split(separator: ":", omittingEmptySubsequences: false)
    guard (1...2).contains(ports.count), let guest = ports.last.flatMap(Self.port) else {
      return nil
    }
    self.guest = guest
    host = guest
    if ports.count == 2 {
      host = Self.port(ports[0])
      guard host != nil || ports[0].isEmpty else { return nil }
    }
  }

  private static func port(_ text: Substring) -> UInt16? {
    UInt16(text).flatMap { $0 > 0 ? $0 : nil }
  }
}
