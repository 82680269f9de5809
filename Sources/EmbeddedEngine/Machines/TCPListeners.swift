internal import Glibc
internal import SystemIO

/// The host's listening TCP sockets, as the kernel tells them by sock_diag(7).
///
/// Its table in `/proc` holds the connections too: each reading of it goes through all places for
/// them, which takes milliseconds even where there are none.
enum TCPListeners {
  private static let headerSize = 16
  private static let requestSize = 72
  private static let netlinkSocketDiagnosis: Int32 = 4
  /// `SOCK_DIAG_BY_FAMILY`, `NLMSG_ERROR` and `NLMSG_DONE`.
  private static let (byFamily, failure, done): (UInt16, UInt16, UInt16) = (20, 2, 3)
  /// `NLM_F_REQUEST | NLM_F_DUMP`.
  private static let dumpRequest: UInt16 = 0x301
  /// `TCP_LISTEN` as the bit of a set.
  private static let listening: UInt32 = 1 << 10

  /// The sockets of a family, `AF_INET` or `AF_INET6`: the first four bytes of the address, and the
  /// port.
  ///
  /// - Throws: `SystemError` where the kernel can't tell, as without its module.
  static func read(
    _ family: Int32
  ) throws(SystemError) -> [(address: [UInt8], port: UInt16)] {
    let raw = try checked("make a socket for", "socket diagnosis") {
      socket(AF_NETLINK, Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue), netlinkSocketDiagnosis)
    }
    let kernel = Descriptor(owning: raw, name: "socket diagnosis")
    let question = request(family)
    try checked("ask", kernel.name) { send(kernel.raw, question, question.count, 0) }
    var found: [(address: [UInt8], port: UInt16)] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = try checked("read", kernel.name) { recv(kernel.raw, &buffer, buffer.count, 0) }
      if try take(buffer[..<count], into: &found) { return found }
    }
  }

  /// `nlmsghdr` and `inet_diag_req_v2`.
  private static func request(_ family: Int32) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: requestSize)
    bytes.withUnsafeMutableBytes { bytes in
      bytes.storeBytes(of: UInt32(requestSize), as: UInt32.self)
      bytes.storeBytes(of: byFamily, toByteOffset: 4, as: UInt16.self)
      bytes.storeBytes(of: dumpRequest, toByteOffset: 6, as: UInt16.self)
      bytes[headerSize] = UInt8(truncatingIfNeeded: family)
      bytes[headerSize + 1] = UInt8(truncatingIfNeeded: IPPROTO_TCP)
      bytes.storeBytes(of: listening, toByteOffset: headerSize + 4, as: UInt32.self)
    }
    return bytes
  }

  /// Takes one answer's messages in: `inet_diag_msg` behind each header.
  ///
  /// - Returns: whether it was the last.
  private static func take(
    _ answer: ArraySlice<UInt8>, into found: inout [(address: [UInt8], port: UInt16)]
  ) throws(SystemError) -> Bool {
    var rest = answer
    while rest.count >= headerSize {
      let start = rest.startIndex
      let length = Int(word(rest, at: start))
      guard length >= headerSize, length <= rest.count else { break }
      switch UInt16(truncatingIfNeeded: word(rest, at: start + 4)) {
      case done: return true
      case failure where length >= headerSize + 4:
        throw SystemError(
          "read", "socket diagnosis",
          errno: -Int32(bitPattern: word(rest, at: start + headerSize)))
      case byFamily where length >= headerSize + 24:
        let identity = start + headerSize + 4
        // The network's byte order.
        let port = UInt16(rest[identity]) << 8 | UInt16(rest[identity + 1])
        found.append((address: Array(rest[identity + 4..<identity + 8]), port: port))
      default: break
      }
      rest = rest.dropFirst((length + 3) & ~3)
    }
    if rest.count == answer.count { throw SystemError("read", "socket diagnosis", errno: EPROTO) }
    return false
  }

  private static func word(_ bytes: ArraySlice<UInt8>, at offset: Int) -> UInt32 {
    bytes[offset..<offset + 4].withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
  }
}
