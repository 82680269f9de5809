/// An IPv4 address.
public struct IPv4Address: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The address as a number, first octet highest.
  public var value: UInt32

  /// Makes an address of its number.
  public init(value: UInt32) { self.value = value }

  /// Parses four decimal octets; leading zeros are refused, for some read them as octal.
  public init?(_ text: some StringProtocol) {
    let parts = String(text).split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var value: UInt32 = 0
    for part in parts {
      guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
        part.utf8.count == 1 || part.first != "0", let octet = UInt8(part)
      else { return nil }
      value = value << 8 | UInt32(octet)
    }
    self.value = value
  }

  /// `10.0.2.15`.
  public var description: String {
    "\(value >> 24).\(value >> 16 & 255).\(value >> 8 & 255).\(value & 255)"
  }

  /// By number.
  public static func < (a: IPv4Address, b: IPv4Address) -> Bool { a.value < b.value }
}

/// An IPv4 network in CIDR form.
public struct IPv4Network: Hashable, Sendable, CustomStringConvertible {
  /// The first address, whose host bits are zero.
  public let first: IPv4Address
  /// How many leading bits name the network: 0 to 32.
  public let prefix: Int

  /// Parses `10.0.2.0/24`; bits beyond the prefix are refused.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let first = IPv4Address(parts[0]), (1...2).contains(parts[1].count),
      parts[1].allSatisfy({ $0.isASCII && $0.isNumber }), let prefix = Int(parts[1]), prefix <= 32
    else { return nil }
    self.first = first
    self.prefix = prefix
    guard first.value & ~mask == 0 else { return nil }
  }

  /// The last address, used for broadcasts.
  public var last: IPv4Address { IPv4Address(value: first.value | ~mask) }

  /// Whether an address lies in the network.
  public func contains(_ address: IPv4Address) -> Bool { address.value & mask == first.value }

  /// Whether two networks have an address in common.
  public func overlaps(_ other: IPv4Network) -> Bool {
    contains(other.first) || other.contains(first)
  }

  /// Whether a host may have the address: not the first, not the last.
  public func isHost(_ address: IPv4Address) -> Bool {
    contains(address) && address != first && address != last
  }

  /// The address of the network's gateway, where ingot is the gateway.
  public var gateway: IPv4Address { IPv4Address(value: first.value | 1) }

  /// Whether guests may have addresses of it: no loopback, no multicast, not all there are.
  public var isUnicast: Bool {
    let octet = first.value >> 24
    return prefix >= 8 && octet != 0 && octet != 127 && octet < 224
  }

  /// The addresses that QEMU's user networking takes for itself: the host's and the resolver's.
  ///
  /// As net/slirp.c chooses them where it is not told.
  public var userServices: [IPv4Address] {
    [0x0202, 0x0203].map { IPv4Address(value: first.value | ($0 & ~mask)) }
  }

  /// `10.0.2.0/24`.
  public var description: String { "\(first)/\(prefix)" }

  private var mask: UInt32 { prefix == 0 ? 0 : ~0 << UInt32(32 - prefix) }
}
