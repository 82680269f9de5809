/// An IPv6 address.
public struct IPv6Address: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The address as a number, first group highest.
  public var value: UInt128

  /// Makes an address of its number.
  public init(value: UInt128) { self.value = value }

  /// Parses the forms of RFC 4291: eight groups, `::` for zeros once, an IPv4 address at the end.
  ///
  /// A zone (`%eth0`) is refused: it means something on one host only.
  public init?(_ text: some StringProtocol) {
    let text = String(text)
    let halves = Self.halves(of: text)
    guard halves.count <= 2, let head = Self.groups(halves[0], isLast: halves.count == 1) else {
      return nil
    }
    guard halves.count == 2 else {
      guard head.count == 8 else { return nil }
      self.init(groups: head)
      return
    }
    // `::` stands for one group of zeros at least.
    guard let tail = Self.groups(halves[1], isLast: true), head.count + tail.count <= 7 else {
      return nil
    }
    let zeros = [UInt16](repeating: 0, count: 8 - head.count - tail.count)
    self.init(groups: head + zeros + tail)
  }

  private init(groups: [UInt16]) {
    value = groups.reduce(0) { $0 << 16 | UInt128($1) }
  }

  /// What stands before and behind each `::`.
  private static func halves(of text: String) -> [Substring] {
    var halves: [Substring] = []
    var rest = text[...]
    while let mark = rest.firstRange(of: "::") {
      halves.append(rest[..<mark.lowerBound])
      rest = rest[mark.upperBound...]
    }
    return halves + [rest]
  }

  private static func groups(_ text: Substring, isLast: Bool) -> [UInt16]? {
    if text.isEmpty { return [] }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    var groups: [UInt16] = []
    for (index, part) in parts.enumerated() {
      if isLast, index == parts.count - 1, let address = IPv4Address(part) {
        groups += [UInt16(address.value >> 16), UInt16(address.value & 0xffff)]
        continue
      }
      guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy({ $0 != UInt8(ascii: "+") }),
        let group = UInt16(part, radix: 16)
      else { return nil }
      groups.append(group)
    }
    return groups
  }

  /// The one text of RFC 5952: lower case, the longest zeros left out.
  public var description: String {
    let groups = (0..<8).map { UInt16(truncatingIfNeeded: value >> UInt128(112 - 16 * $0)) }
    if value >> 32 == 0xffff {
      return "::ffff:\(IPv4Address(value: UInt32(truncatingIfNeeded: value)))"
    }
    func text(_ groups: some Sequence<UInt16>) -> String {
      groups.map { String($0, radix: 16) }.joined(separator: ":")
    }
    guard let zeros = Self.longestZeros(groups) else { return text(groups) }
    return text(groups[..<zeros.lowerBound]) + "::" + text(groups[zeros.upperBound...])
  }

  /// The first of the longest runs of at least two groups of zeros.
  private static func longestZeros(_ groups: [UInt16]) -> Range<Int>? {
    var longest: Range<Int>?
    var start = 0
    while start < groups.count {
      let end = groups[start...].firstIndex { $0 != 0 } ?? groups.count
      if end - start >= 2, end - start > longest?.count ?? 0 { longest = start..<end }
      start = max(end, start) + 1
    }
    return longest
  }

  /// By number.
  public static func < (a: IPv6Address, b: IPv6Address) -> Bool { a.value < b.value }
}

/// An IPv6 network in CIDR form.
public struct IPv6Network: Hashable, Sendable, CustomStringConvertible {
  /// The first address, whose host bits are zero.
  public let first: IPv6Address
  /// How many leading bits name the network: 0 to 128.
  public let prefix: Int

  /// Makes the network of an address; bits beyond the prefix are dropped.
  ///
  /// - Parameter prefix: 0 to 128.
  public init(of address: IPv6Address, prefix: Int) {
    self.prefix = min(max(prefix, 0), 128)
    first = IPv6Address(value: address.value & Self.mask(self.prefix))
  }

  /// Parses `fd00:77::/64`; bits beyond the prefix are refused.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let first = IPv6Address(parts[0]), (1...3).contains(parts[1].count),
      parts[1].allSatisfy({ $0.isASCII && $0.isNumber }), let prefix = Int(parts[1]),
      prefix <= 128, first.value & ~Self.mask(prefix) == 0
    else { return nil }
    self.first = first
    self.prefix = prefix
  }

  /// The address of the network's gateway, where ingot is the gateway.
  public var gateway: IPv6Address { IPv6Address(value: first.value | 1) }

  /// Whether an address lies in the network.
  public func contains(_ address: IPv6Address) -> Bool {
    address.value & Self.mask(prefix) == first.value
  }

  /// Whether a host may have the address: not the first, which means any router, and not the last,
  /// which is set aside too.
  public func isHost(_ address: IPv6Address) -> Bool {
    contains(address) && address != first && address.value != first.value | ~Self.mask(prefix)
  }

  /// Whether guests may have it: a global network, or one of the unique local ones.
  public var isUnicast: Bool {
    first.value >> 125 == 0b001 || first.value >> 121 == 0b111_1110
  }

  /// The address that a network card gives itself, by its MAC (modified EUI-64); nil where the
  /// network has no 64 bits for it or the text is no MAC.
  public func address(ofMAC mac: String) -> IPv6Address? {
    let parts = mac.split(separator: ":", omittingEmptySubsequences: false)
    let octets = parts.compactMap { $0.utf8.count == 2 ? UInt8($0, radix: 16) : nil }
    guard prefix <= 64, parts.count == 6, octets.count == 6 else { return nil }
    let bytes = [octets[0] ^ 2] + octets[1...2] + [0xff, 0xfe] + octets[3...]
    return IPv6Address(value: first.value | bytes.reduce(0) { $0 << 8 | UInt128($1) })
  }

  /// `fd00:77::/64`.
  public var description: String { "\(first)/\(prefix)" }

  private static func mask(_ prefix: Int) -> UInt128 {
    prefix == 0 ? 0 : ~0 << UInt128(128 - prefix)
  }
}
