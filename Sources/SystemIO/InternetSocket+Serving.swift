internal import Glibc

/// Where a packet came from or goes to.
public struct InternetEndpoint: Hashable, Sendable, CustomStringConvertible {
  /// The host.
  public let address: InternetAddress
  /// Its port.
  public let port: UInt16

  /// Names an end of a connection, or of datagrams.
  public init(_ address: InternetAddress, _ port: UInt16) {
    self.address = address
    self.port = port
  }

  /// `10.0.2.15:80`, `[fd00::15]:80`.
  public var description: String {
    address.isIPv6 ? "[\(address)]:\(port)" : "\(address):\(port)"
  }
}

extension InternetSocket {
  /// Listens at an address and port of the host; an IPv6 socket is for IPv6 alone.
  ///
  /// - Throws: `SystemError`; `EADDRINUSE`, `EACCES` and `EADDRNOTAVAIL` are the host's affairs.
  public static func listen(
    _ sort: Sort, at endpoint: InternetEndpoint, backlog: Int32 = 128
  ) throws(SystemError) -> Descriptor {
    let isIPv6 = endpoint.address.isIPv6
    let name = "\(endpoint)"
    let kind = sort == .stream ? SOCK_STREAM : SOCK_DGRAM
    let type = Int32(kind.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let raw = try checked("make a socket for", name) {
      Glibc.socket(isIPv6 ? AF_INET6 : AF_INET, type, 0)
    }
    let socket = Descriptor(owning: raw, name: name)
    if isIPv6 { try set(socket, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
    // Connections of a listener before this one still count as taken for minutes.
    if sort == .stream { try set(socket, SOL_SOCKET, SO_REUSEADDR, 1) }
    try checked("listen on", name) {
      withSocketAddress(endpoint.address, endpoint.port) { Glibc.bind(raw, $0, $1) }
    }
    if sort == .stream { try checked("listen on", name) { Glibc.listen(raw, backlog) } }
    return socket
  }

  /// Where a socket is bound.
  public static func localEndpoint(_ socket: Descriptor) throws(SystemError) -> InternetEndpoint {
    try endpoint("ask for the address of", socket) { getsockname(socket.raw, $0, $1) }
  }

  /// Where a socket is connected to.
  public static func peer(_ socket: Descriptor) throws(SystemError) -> InternetEndpoint {
    try endpoint("ask for the peer of", socket) { getpeername(socket.raw, $0, $1) }
  }

  /// Prepares a connection that is passed on: small pieces go at once, and an end that is gone
  /// without a word is noticed.
  public static func prepareToPassOn(_ socket: Descriptor) throws(SystemError) {
    try set(socket, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
    try set(socket, SOL_SOCKET, SO_KEEPALIVE, 1)
  }

  /// Tells the other end that nothing more comes; what it sends can still be received.
  public static func endSending(_ socket: Descriptor) throws(SystemError) {
    try checked("end sending on", socket.name) { shutdown(socket.raw, Int32(SHUT_WR)) }
  }

  /// Makes the close of a connection an abort, which the other end sees as an error.
  public static func abortAtClose(_ socket: Descriptor) throws(SystemError) {
    var value = linger(l_onoff: 1, l_linger: 0)
    try checked("set options of", socket.name) {
      setsockopt(
        socket.raw, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size))
    }
  }

  /// Receives one datagram and where it came from; nil where none is there.
  public static func receive(
    from socket: Descriptor
  ) throws(SystemError) -> (bytes: [UInt8], sender: InternetEndpoint)? {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    var number: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, used in
      let received = withPointer(to: &storage) { pointer in
        recvfrom(socket.raw, buffer.baseAddress, buffer.count, 0, pointer, &length)
      }
      number = received < 0 ? errno : 0
      used = max(0, received)
    }
    if number == EAGAIN || number == EINTR { return nil }
    guard number == 0, let sender = endpoint(of: storage) else {
      throw SystemError("receive from", socket.name, errno: number == 0 ? EAFNOSUPPORT : number)
    }
    return (bytes, sender)
  }

  /// Sends one datagram; false where the kernel does not take it now.
  @discardableResult
  public static func send(
    _ bytes: [UInt8], to endpoint: InternetEndpoint, on socket: Descriptor
  ) throws(SystemError) -> Bool {
    let sent = withSocketAddress(endpoint.address, endpoint.port) { pointer, length in
      sendto(socket.raw, bytes, bytes.count, Int32(MSG_NOSIGNAL), pointer, length)
    }
    if sent >= 0 { return true }
    let number = errno
    if number == EAGAIN || number == EINTR { return false }
    throw SystemError("send on", socket.name, errno: number)
  }

  private static func set(
    _ socket: Descriptor, _ level: Int32, _ option: Int32, _ value: Int32
  ) throws(SystemError) {
    var value = value
    try checked("set options of", socket.name) {
      setsockopt(socket.raw, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }
  }

  private static func endpoint(
    _ operation: String, _ socket: Descriptor,
    _ call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
  ) throws(SystemError) -> InternetEndpoint {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    try checked(operation, socket.name) {
      withPointer(to: &storage) { pointer in call(pointer, &length) }
    }
    guard let endpoint = endpoint(of: storage) else {
      throw SystemError(operation, socket.name, errno: EAFNOSUPPORT)
    }
    return endpoint
  }

  private static func withPointer<Result>(
    to storage: inout sockaddr_storage, _ body: (UnsafeMutablePointer<sockaddr>) -> Result
  ) -> Result {
    withUnsafeMutablePointer(to: &storage) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0) }
    }
  }

  private static func endpoint(of storage: sockaddr_storage) -> InternetEndpoint? {
    withUnsafeBytes(of: storage) { bytes in
      // The port stands after the family in both; then the address, behind a flow label in IPv6.
      let port = UInt16(bytes[2]) << 8 | UInt16(bytes[3])
      let range: Range<Int>
      switch Int32(storage.ss_family) {
      case AF_INET: range = 4..<8
      case AF_INET6: range = 8..<24
      default: return nil
      }
      return InternetAddress(bytes: Array(bytes[range])).map { InternetEndpoint($0, port) }
    }
  }
}
