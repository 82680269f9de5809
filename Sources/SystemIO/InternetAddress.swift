internal import Glibc

/// An IPv4 or IPv6 address.
public struct InternetAddress: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// 4 or 16 bytes, as they stand in a packet.
  public let bytes: [UInt8]

  /// Makes an address of its 4 or 16 bytes; nil for any other number.
  public init?(bytes: [UInt8]) {
    guard bytes.count == 4 || bytes.count == 16 else { return nil }
    self.bytes = bytes
  }

  /// Parses `10.0.2.15` or `fd00::15`; neither a zone nor an octet with leading zeros is taken.
  public init?(_ text: some StringProtocol) {
    let text = String(text)
    guard !text.utf8.contains(0) else { return nil }
    let isLong = text.utf8.contains(UInt8(ascii: ":"))
    var bytes = [UInt8](repeating: 0, count: isLong ? 16 : 4)
    guard inet_pton(isLong ? AF_INET6 : AF_INET, text, &bytes) == 1 else { return nil }
    self.bytes = bytes
  }

  /// Whether it is an IPv6 address.
  public var isIPv6: Bool { bytes.count == 16 }

  /// The shortest form, as RFC 5952 has it.
  public var description: String {
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    let written = inet_ntop(isIPv6 ? AF_INET6 : AF_INET, bytes, &text, socklen_t(text.count))
    guard written != nil else { return "" }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// IPv4 before IPv6, each by number.
  public static func < (a: InternetAddress, b: InternetAddress) -> Bool {
    a.bytes.count == b.bytes.count
      ? a.bytes.lexicographicallyPrecedes(b.bytes) : a.bytes.count < b.bytes.count
  }
}

/// An IPv4 or IPv6 network in CIDR form.
public struct InternetNetwork: Hashable, Sendable, CustomStringConvertible {
  /// The first address, whose host bits are zero.
  public let first: InternetAddress
  /// How many leading bits name the network.
  public let prefix: Int

  /// Parses `10.0.2.0/24` or `fd00::/64`; bits beyond the prefix are refused.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let first = InternetAddress(parts[0]), (1...3).contains(parts[1].count),
      parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let prefix = Int(parts[1]),
      prefix <= first.bytes.count * 8
    else { return nil }
    self.first = first
    self.prefix = prefix
    guard Self.masked(first.bytes, prefix) == first.bytes else { return nil }
  }

  /// Whether an address lies in the network.
  public func contains(_ address: InternetAddress) -> Bool {
    address.bytes.count == first.bytes.count
      && Self.masked(address.bytes, prefix) == first.bytes
  }

  /// The last address; of an IPv4 network the one of broadcasts.
  public var last: InternetAddress {
    let ones = [UInt8](repeating: 255, count: first.bytes.count)
    let bits = zip(ones, Self.masked(ones, prefix)).map { $0 & ~$1 }
    return InternetAddress(bytes: zip(first.bytes, bits).map { $0 | $1 }) ?? first
  }

  /// `10.0.2.0/24`.
  public var description: String { "\(first)/\(prefix)" }

  private static func masked(_ bytes: [UInt8], _ prefix: Int) -> [UInt8] {
    bytes.enumerated().map { index, byte in
      let bits = min(8, max(0, prefix - index * 8))
      return byte & UInt8(truncatingIfNeeded: 0xff00 >> bits)
    }
  }
}
