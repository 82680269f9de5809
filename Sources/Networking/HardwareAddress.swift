/// The hardware address of an Ethernet interface.
package struct HardwareAddress: Hashable, Sendable, CustomStringConvertible {
  /// Its six bytes.
  package let bytes: [UInt8]

  /// Parses `52:54:00:12:34:56`.
  package init?(_ text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    var bytes: [UInt8] = []
    for part in parts {
      guard part.utf8.count == 2, part.first?.isHexDigit == true, let byte = UInt8(part, radix: 16)
      else { return nil }
      bytes.append(byte)
    }
    guard bytes.count == 6 else { return nil }
    self.bytes = bytes
  }

  /// Whether one interface can have it: neither a group's address nor zero.
  package var isOneInterface: Bool { bytes[0] & 1 == 0 && bytes != [0, 0, 0, 0, 0, 0] }

  /// The last 8 bytes of the IPv6 addresses that a host makes of it (RFC 4291, appendix A).
  package var interfaceIdentifier: [UInt8] {
    [bytes[0] ^ 2, bytes[1], bytes[2], 0xff, 0xfe, bytes[3], bytes[4], bytes[5]]
  }

  /// `52:54:00:12:34:56`, in small letters.
  package var description: String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
  }
}
