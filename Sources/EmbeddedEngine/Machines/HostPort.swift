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
