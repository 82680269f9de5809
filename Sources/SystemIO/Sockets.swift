internal import CLinux
internal import Glibc

/// Stream sockets of the Unix and Internet domains; all are non-blocking and close-on-exec.
public enum StreamSocket {
  /// Listens at a path with mode 0600, replacing a socket that nobody listens on any more.
  ///
  /// The caller holds whatever lock keeps two listeners apart.
  public static func listen(_ path: String, backlog: Int32 = 16) throws(SystemError) -> Descriptor {
    try removeFile(path)
    let socket = try make(AF_UNIX, path)
    // Linux gives the file the socket's own mode less the umask: it is never open to others.
    try checked("set mode of", path) { fchmod(socket.raw, 0o600) }
    try lastingStep("bind \(path)") { () throws(SystemError) in
      try withAddress(path, "bind") { pointer, length in
        Glibc.bind(socket.raw, pointer, length)
      }
    }
    try checked("listen on", path) { Glibc.listen(socket.raw, backlog) }
    return socket
  }

  /// Connects to a listener at a path.
  ///
  /// - Throws: `SystemError`; `ECONNREFUSED` or `ENOENT` where nobody listens, `EAGAIN` where its
  ///   queue is full.
  public static func connect(_ path: String) throws(SystemError) -> Descriptor {
    let socket = try make(AF_UNIX, path)
    try withAddress(path, "connect to") { pointer, length in
      Glibc.connect(socket.raw, pointer, length)
    }
    return socket
  }

  /// Begins to connect to an address; the socket turns writable when that succeeded or failed.
  public static func connect(address: String, port: UInt16) throws(SystemError) -> Descriptor {
    guard let target = InternetAddress(address) else {
      throw SystemError("connect to", "\(address):\(port)", errno: EINVAL)
    }
    return try InternetSocket.connect(.stream, to: target, port: port)
  }

  /// How a connection that was begun came out: nil when it stands.
  public static func pendingError(_ socket: Descriptor) -> SystemError? {
    var number: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    if getsockopt(socket.raw, SOL_SOCKET, SO_ERROR, &number, &length) != 0 { number = errno }
    return number == 0 ? nil : SystemError("connect to", socket.name, errno: number)
  }

  /// Two sockets connected to each other; the second blocks, for a program that is handed it.
  public static func pair(name: String) throws(SystemError) -> (
    ours: Descriptor, theirs: Descriptor
  ) {
    var ends: [Int32] = [-1, -1]
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    try checked("make sockets for", name) { socketpair(AF_UNIX, type, 0, &ends) }
    let pair = (
      ours: Descriptor(owning: ends[0], name: name), theirs: Descriptor(owning: ends[1], name: name)
    )
    try checked("make non-blocking", name) { clinux_fcntl_int(ends[0], F_SETFL, O_NONBLOCK) }
    return pair
  }

  /// Accepts one waiting connection; nil where there is none.
  public static func accept(_ listener: Descriptor) throws(SystemError) -> Descriptor? {
    let raw = clinux_accept(listener.raw)
    if raw >= 0 { return Descriptor(owning: raw, name: listener.name) }
    let number = errno
    if number == EAGAIN || number == EINTR || number == ECONNABORTED { return nil }
    throw SystemError("accept on", listener.name, errno: number)
  }

  /// The user at the other end of a Unix socket, as the kernel vouches for it.
  public static func peerUserID(_ socket: Descriptor) throws(SystemError) -> UInt32 {
    var uid: UInt32 = 0
    try checked("ask for the peer of", socket.name) { clinux_peer_uid(socket.raw, &uid) }
    return uid
  }

  /// Sends what the kernel takes now; 0 where it takes nothing.
  ///
  /// A peer that is gone is an error (`EPIPE`), never a signal.
  public static func send(
    _ bytes: ArraySlice<UInt8>, on socket: Descriptor
  ) throws(SystemError) -> Int {
    let sent = bytes.withUnsafeBytes { buffer in
      Glibc.send(socket.raw, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
    }
    if sent >= 0 { return sent }
    let number = errno
    if number == EAGAIN || number == EINTR { return 0 }
    throw SystemError("send on", socket.name, errno: number)
  }

  /// Receives what is there; nil where nothing is yet, empty at the end.
  public static func receive(
    from socket: Descriptor, atMost count: Int = 1 << 14
  ) throws(SystemError) -> [UInt8]? {
    var number: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
      let received = Glibc.recv(socket.raw, buffer.baseAddress, count, 0)
      number = received < 0 ? errno : 0
      used = max(0, received)
    }
    if number == 0 { return bytes }
    if number == EAGAIN || number == EINTR { return nil }
    throw SystemError("receive from", socket.name, errno: number)
  }

  private static func make(_ domain: Int32, _ name: String) throws(SystemError) -> Descriptor {
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let raw = try checked("make a socket for", name) { socket(domain, type, 0) }
    return Descriptor(owning: raw, name: name)
  }

  /// Calls with a path's address.
  ///
  /// A path longer than the 107 bytes of unix(7) is reached through its open directory.
  private static func withAddress(
    _ path: String, _ operation: String,
    _ call: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) throws(SystemError) {
    var address = sockaddr_un()
    let room = MemoryLayout.size(ofValue: address.sun_path)
    var name = Array(path.utf8)
    var directory: Descriptor?
    if name.count >= room {
      let opened = try Descriptor.open(directoryName(path), [.read, .directory])
      let slash = name.lastIndex(of: UInt8(ascii: "/")) ?? name.startIndex
      name = Array("/proc/self/fd/\(opened.raw)".utf8) + name[slash...]
      directory = opened
    }
    guard name.count < room else { throw SystemError(operation, path, errno: ENAMETOOLONG) }
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
    let result = withExtendedLifetime(directory) {
      withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
          call(pointer, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
      }
    }
    if result != 0 { throw SystemError(operation, path, errno: errno) }
  }
}

/// The user this process acts as.
public func effectiveUserID() -> UInt32 { geteuid() }
