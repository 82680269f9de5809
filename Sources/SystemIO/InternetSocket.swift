internal import Glibc

/// Sockets of IPv4 and IPv6; all are non-blocking and close-on-exec.
public enum InternetSocket {
  /// What a socket carries.
  public enum Sort: Sendable {
    /// Connections: TCP.
    case stream
    /// Datagrams: UDP.
    case datagram
  }

  /// Connects to an address and port, or begins to: a stream turns writable when that succeeded or
  /// failed, which `StreamSocket.pendingError` tells.
  public static func connect(
    _ sort: Sort, to address: InternetAddress, port: UInt16
  ) throws(SystemError) -> Descriptor {
    let name = address.isIPv6 ? "[\(address)]:\(port)" : "\(address):\(port)"
    let kind = sort == .stream ? SOCK_STREAM : SOCK_DGRAM
    let type = Int32(kind.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let raw = try checked("make a socket for", name) {
      Glibc.socket(address.isIPv6 ? AF_INET6 : AF_INET, type, 0)
    }
    let socket = Descriptor(owning: raw, name: name)
    let result = withSocketAddress(address, port) { Glibc.connect(raw, $0, $1) }
    if result != 0, errno != EINPROGRESS { throw SystemError("connect to", name, errno: errno) }
    return socket
  }
}

/// Calls with an address as sockets take it.
func withSocketAddress<Result>(
  _ address: InternetAddress, _ port: UInt16,
  _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
) -> Result {
  if address.isIPv6 {
    var target = sockaddr_in6()
    target.sin6_family = sa_family_t(AF_INET6)
    target.sin6_port = port.bigEndian
    withUnsafeMutableBytes(of: &target.sin6_addr) { $0.copyBytes(from: address.bytes) }
    return withBytes(of: target, body)
  }
  var target = sockaddr_in()
  target.sin_family = sa_family_t(AF_INET)
  target.sin_port = port.bigEndian
  withUnsafeMutableBytes(of: &target.sin_addr) { $0.copyBytes(from: address.bytes) }
  return withBytes(of: target, body)
}

private func withBytes<Address, Result>(
  of address: Address, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
) -> Result {
  withUnsafePointer(to: address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      body($0, socklen_t(MemoryLayout<Address>.size))
    }
  }
}
