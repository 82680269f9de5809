public import JSON

/// A `SecurityGroup`'s specification.
public struct SecurityGroupSpecification: Sendable, Hashable {
  /// What a rule is about.
  public enum Transport: String, Sendable {
    /// Everything.
    case any
    /// TCP.
    case tcp
    /// UDP.
    case udp
    /// ICMP, and ICMPv6.
    case icmp
  }

  /// Whom a rule is about.
  public enum Peer: Sendable, Hashable {
    /// A network in CIDR form, IPv4 or IPv6; of one address where that is meant.
    case network(String)
    /// All interfaces under a security group.
    case group(String)

    /// Reads `10.0.0.0/8`, `fd00:77::11`, `group:web`.
    public init?(_ text: String) {
      if let name = SecurityGroupSpecification.group(in: text) {
        self = .group(name)
      } else if IPv4Network(text) != nil || IPv6Network(text) != nil {
        self = .network(text)
      } else if let address = IPv4Address(text) {
        self = .network("\(address)/32")
      } else if let address = IPv6Address(text) {
        self = .network("\(address)/128")
      } else {
        return nil
      }
    }
  }

  /// What is allowed.
  public struct Rule: Sendable, Hashable {
    /// The protocol.
    public var transport: Transport
    /// The ports of what is connected to; empty for all.
    public var ports: [PortRange]
    /// Whom it is about; nil for anyone.
    ///
    /// Groups that no interface is under are nobody, never anyone.
    public var peers: [Peer]?

    /// Describes a rule.
    public init(transport: Transport, ports: [PortRange] = [], peers: [Peer]? = nil) {
      self.transport = transport
      self.ports = ports
      self.peers = peers
    }
  }

  /// What may reach an interface; nil where everything may.
  public var ingress: [Rule]?
  /// What may leave an interface; nil where everything may.
  public var egress: [Rule]?

  /// Describes a group.
  public init(ingress: [Rule]?, egress: [Rule]?) {
    self.ingress = ingress
    self.egress = egress
  }

  /// What an interface under several groups is allowed: what any of them allows; everything where
  /// there is none.
  public init(together groups: [SecurityGroupSpecification]) {
    func union(_ rules: (SecurityGroupSpecification) -> [Rule]?) -> [Rule]? {
      if groups.isEmpty || groups.contains(where: { rules($0) == nil }) { return nil }
      return groups.flatMap { rules($0) ?? [] }
    }
    self.init(ingress: union(\.ingress), egress: union(\.egress))
  }

  /// Reads a normalised specification.
  public init(_ spec: JSONValue) throws(SpecificationError) {
    let reader = try SpecificationReader(spec)
    let fallback = try reader.group("default")
    func rules(_ name: String, _ peers: String) throws(SpecificationError) -> [Rule]? {
      var rules: [Rule] = []
      for rule in try reader.groups(name) { rules.append(try Rule(rule, peers: peers)) }
      return try fallback.text(name) == "Allow" ? nil : rules
    }
    ingress = try rules("ingress", "from")
    egress = try rules("egress", "to")
  }

  /// The groups that the rules name, sorted, each once.
  public var groups: [String] {
    let peers = ((ingress ?? []) + (egress ?? [])).flatMap { $0.peers ?? [] }
    return Set(peers.compactMap { if case .group(let name) = $0 { name } else { nil } }).sorted()
  }

  /// The name in `group:web`; nil in any other text.
  static func group(in text: String) -> String? {
    let mark = "group:"
    guard text.hasPrefix(mark) else { return nil }
    let name = String(text.dropFirst(mark.count))
    return TextFormat.name.problem(with: name) == nil ? name : nil
  }
}

extension SecurityGroupSpecification.Rule {
  fileprivate init(
    _ reader: SpecificationReader, peers name: String
  ) throws(SpecificationError) {
    transport = try reader.choice("protocol")
    ports = []
    for text in try reader.texts("ports") {
      guard let range = PortRange(text) else {
        throw SpecificationError(path: "spec.ports", expected: "a port or a range of ports")
      }
      ports.append(range)
    }
    peers = nil
    guard reader.object[name]?.isNull == false else { return }
    var found: [SecurityGroupSpecification.Peer] = []
    for text in try reader.texts(name) {
      guard let peer = SecurityGroupSpecification.Peer(text) else {
        throw SpecificationError(path: "spec.\(name)", expected: "a network or a group")
      }
      found.append(peer)
    }
    peers = found
  }
}

/// A port, or several that follow each other.
public struct PortRange: Sendable, Hashable, CustomStringConvertible {
  /// The first and the last; from 1.
  public let bounds: ClosedRange<UInt16>

  /// Reads `80` or `8000-8080`.
  public init?(_ text: String) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { part -> UInt16? in
      guard part.utf8.allSatisfy({ (0x30...0x39).contains($0) }), !part.hasPrefix("0") else {
        return nil
      }
      return UInt16(part)
    }
    guard numbers.count == parts.count, (1...2).contains(numbers.count),
      let first = numbers.first, let last = numbers.last, first <= last
    else { return nil }
    bounds = first...last
  }

  /// `80` or `8000-8080`.
  public var description: String {
    bounds.lowerBound == bounds.upperBound
      ? "\(bounds.lowerBound)" : "\(bounds.lowerBound)-\(bounds.upperBound)"
  }
}
