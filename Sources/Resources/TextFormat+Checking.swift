extension TextFormat {
  /// The text in normal form: a MAC in lower case with colons, IPv6 as RFC 5952 writes it, a range
  /// of one port as that port, the rest as it is.
  public func normalized(_ text: String) -> String {
    switch self {
    case .mac: String(text.lowercased().map { $0 == "-" ? ":" : $0 })
    case .ipv6, .address, .ipv6Network, .peer:
      IPv6Address(text)?.description ?? IPv6Network(text)?.description ?? text
    case .ports: PortRange(text)?.description ?? text
    default: text
    }
  }

  /// What is wrong with a text in normal form; nil where nothing is.
  public func problem(with text: String) -> String? {
    if text.utf8.isEmpty { return "the text is empty" }
    let isFine =
      switch self {
      case .plain: true
      case .name: Self.isLabel(text.utf8)
      case .hostName: Self.isHostName(text)
      case .ipv4: IPv4Address(text) != nil
      case .ipv4Network: IPv4Network(text) != nil
      case .ipv6: IPv6Address(text) != nil
      case .ipv6Network: IPv6Network(text) != nil
      case .address: IPv4Address(text) != nil || IPv6Address(text) != nil
      case .peer: SecurityGroupSpecification.Peer(text) != nil
      case .ports: PortRange(text) != nil
      case .mac: Self.isStationMAC(text)
      case .path: !text.utf8.contains(0)
      case .word: Self.isWord(text)
      case .argument: !text.hasPrefix("-") && text.unicodeScalars.allSatisfy { $0.value > 0x20 }
      case .interface:
        text.utf8.count <= 15 && Self.isWord(text)
      }
    return isFine ? nil : "'\(text)' is no \(noun)"
  }

  /// What the format is called: `IPv4 address`.
  public var noun: String {
    switch self {
    case .plain: "text"
    case .name: "name"
    case .hostName: "host name"
    case .ipv4: "IPv4 address"
    case .ipv4Network: "IPv4 network"
    case .ipv6: "IPv6 address"
    case .ipv6Network: "IPv6 network"
    case .address: "IP address"
    case .peer: "IP network, address or group"
    case .ports: "port or range of ports"
    case .mac: "MAC address of a single station"
    case .path: "path"
    case .word: "word"
    case .argument: "word without spaces and leading '-'"
    case .interface: "interface name"
    }
  }

  /// How a text of the format is written.
  public var help: String {
    switch self {
    case .plain: "write a text"
    case .name:
      "a name has 1 to 63 of a-z, 0-9 and '-', and begins and ends with a letter or digit"
    case .hostName: "write labels of letters, digits and '-' with dots between, such as 'lab.test'"
    case .ipv4: "write four numbers from 0 to 255, such as '10.77.0.11'"
    case .ipv4Network: "write the first address and the prefix length, such as '10.77.0.0/24'"
    case .ipv6: "write groups of hexadecimal digits, such as 'fd00:77::11'"
    case .ipv6Network: "write the first address and the prefix length, such as 'fd00:77::/64'"
    case .address: "write an address such as '10.77.0.11' or 'fd00:77::11'"
    case .peer: "write a network such as '10.0.0.0/8', an address, or 'group:web'"
    case .ports: "write a port such as '80', or the first and the last such as '8000-8080'"
    case .mac: "write six octets, the first of them even, such as '52:54:00:12:34:56'"
    case .path: "write a path of this host"
    case .word: "use letters, digits, '.', '_', '+' and '-', beginning with a letter or digit"
    case .argument: "leave out spaces and a leading '-'"
    case .interface: "use at most 15 letters, digits, '.', '_' and '-'"
    }
  }

  private static func isLabel(_ bytes: some BidirectionalCollection<UInt8>) -> Bool {
    (1...63).contains(bytes.count) && bytes.first != UInt8(ascii: "-")
      && bytes.last != UInt8(ascii: "-")
      && bytes.allSatisfy { isLowerOrDigit($0) || $0 == UInt8(ascii: "-") }
  }

  private static func isHostName(_ text: String) -> Bool {
    text.utf8.count <= 253
      && text.lowercased().split(separator: ".", omittingEmptySubsequences: false)
        .allSatisfy { isLabel($0.utf8) }
  }

  private static func isStationMAC(_ text: String) -> Bool {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 6, text != "00:00:00:00:00:00", text.allSatisfy(\.isASCII) else {
      return false
    }
    let octets = parts.compactMap { $0.utf8.count == 2 ? UInt8($0, radix: 16) : nil }
    return octets.count == 6 && octets[0] & 1 == 0
  }

  private static func isWord(_ text: String) -> Bool {
    func isAlphanumeric(_ byte: UInt8) -> Bool {
      isLowerOrDigit(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }
    return text.utf8.first.map(isAlphanumeric) == true
      && text.utf8.allSatisfy { isAlphanumeric($0) || "._+-".utf8.contains($0) }
  }

  private static func isLowerOrDigit(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
  }
}
