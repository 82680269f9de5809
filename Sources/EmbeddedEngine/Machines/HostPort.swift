internal import EngineInterface
internal import Glibc
internal import SystemIO

/// Ports of the host, tried by binding: the only answer that counts.
enum HostPort {
  static func isFree(_ transport: String, address: String, port: UInt16) -> Bool {
    // Whatever keeps us from binding keeps QEMU from it too.
    (try? bound(transport, address: address, port: port)) != nil
  }

  /// A port that nobody listens on, as the kernel chooses it.
  static func choose(_ transport: String, address: String) throws -> UInt16 {
    try bound(transport, address: address, port: 0)
  }

  /// The ports of the host that somebody listens on, as `tcp:127.0.0.1:8080`, sorted.
  ///
  /// What listens on all addresses of both families keeps IPv4's too, unless it asked not to; a
  /// try tells.
  static func inUse() -> [String] {
    var found: Set<String> = []
    for transport in ["tcp", "udp"] {
      for (address, port) in listeners(transport, AF_INET) {
        found.insert("\(transport):\(address):\(port)")
      }
      for (_, port) in listeners(transport, AF_INET6)
      where !isFree(transport, address: "0.0.0.0", port: port) {
        found.insert("\(transport):0.0.0.0:\(port)")
      }
    }
    return found.sorted()
  }

  private static func listeners(
    _ transport: String, _ family: Int32
  ) -> [(address: String, port: UInt16)] {
    // Where the kernel has no socket diagnosis the slower table tells the same.
    if transport == "tcp", let found = try? TCPListeners.read(family) {
      return found.map { ($0.address.map { String($0) }.joined(separator: "."), $0.port) }
    }
    return table("/proc/self/net/\(transport)\(family == AF_INET6 ? "6" : "")", transport)
  }

  /// Reads a table of sockets (proc_pid_net(5)): `sl local_address rem_address st ...`.
  private static func table(
    _ path: String, _ transport: String
  ) -> [(address: String, port: UInt16)] {
    // TCP_LISTEN and, for a UDP socket that is bound and not connected, TCP_CLOSE.
    let state = transport == "tcp" ? "0A" : "07"
    // Without the table nothing is known to be in use; the start of a machine tries its ports.
    guard let bytes = try? readFile(path) else { return [] }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").dropFirst().compactMap {
      let parts = $0.split(separator: " ", maxSplits: 4)
      guard parts.count > 3, parts[3] == state, let colon = parts[1].lastIndex(of: ":"),
        let port = UInt16(parts[1][parts[1].index(after: colon)...], radix: 16)
      else { return nil }
      // The words of the address stand in the host's own byte order.
      guard let word = UInt32(parts[1][..<colon].suffix(8), radix: 16) else { return nil }
      let octets = withUnsafeBytes(of: word) { $0.map { String($0) } }
      return (octets.joined(separator: "."), port)
    }
  }

  private static func bound(_ transport: String, address: String, port: UInt16) throws -> UInt16 {
    let name = "\(transport):\(address):\(port)"
    let type = transport == "udp" ? SOCK_DGRAM : SOCK_STREAM
    let raw = try checked("make a socket for", name) {
      socket(AF_INET, Int32(type.rawValue | SOCK_CLOEXEC.rawValue), 0)
    }
    let descriptor = Descriptor(owning: raw, name: name)
    var target = sockaddr_in()
    target.sin_family = sa_family_t(AF_INET)
    target.sin_port = port.bigEndian
    guard inet_pton(AF_INET, address, &target.sin_addr) == 1 else {
      throw EngineError("invalid", "'\(address)' is no IPv4 address")
    }
    if transport == "tcp" {
      // As QEMU does, so that a connection of the last run that lingers does not count.
      var yes: Int32 = 1
      try checked("set an option of", name) {
        setsockopt(raw, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
      }
    }
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    try withUnsafeMutableBytes(of: &target) { bytes in
      let pointer = bytes.assumingMemoryBound(to: sockaddr.self).baseAddress
      try checked("listen on", name) { bind(descriptor.raw, pointer, length) }
      try checked("ask for the port of", name) {
        getsockname(descriptor.raw, pointer, &length)
      }
    }
    return UInt16(bigEndian: target.sin_port)
  }
}
