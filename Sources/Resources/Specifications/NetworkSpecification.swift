public import JSON

/// A `Network`'s specification.
public struct NetworkSpecification: Sendable, Hashable {
  /// How guests reach each other and the world.
  public enum Mode: String, Sendable {
    /// QEMU's own user networking: one machine alone, with forwards.
    case user
    /// A segment with masquerade to the world.
    case nat
    /// A segment without a way out.
    case isolated
    /// An existing bridge of the host.
    case bridge

    /// Whether ingot keeps the segment and is its gateway, its DHCP and its name server.
    public var isSegment: Bool { self == .nat || self == .isolated }
  }

  /// A name with its addresses.
  public struct Host: Sendable, Hashable {
    /// The name; one without a dot is in the network's domain.
    public var name: String
    /// Its addresses, IPv4 and IPv6.
    public var addresses: [String]
  }

  /// The mode.
  public var mode: Mode
  /// The IPv4 network in CIDR form; nil lets the engine choose.
  public var subnet: String?
  /// Whether guests of modes `nat` and `isolated` get IPv6 addresses.
  public var hasIPv6: Bool
  /// The IPv6 network in CIDR form; nil lets the engine choose.
  public var subnet6: String?
  /// First and last address given out by DHCP; empty for all.
  public var dhcpRange: [String]
  /// The domain that guests' names are in.
  public var domain: String?
  /// More names than those of the guests.
  public var hosts: [Host]
  /// Name servers that are asked for all other names; empty for the host's.
  public var forwarders: [String]
  /// The largest packet in bytes; nil for 1500.
  public var mtu: Int?
  /// The host's bridge, for mode `bridge`.
  public var bridge: String?

  /// Reads a normalised specification.
  public init(_ spec: JSONValue) throws(SpecificationError) {
    let reader = try SpecificationReader(spec)
    mode = try reader.choice("mode")
    subnet = try reader.optionalText("subnet")
    let ipv6 = try reader.optionalGroup("ipv6")
    hasIPv6 = mode.isSegment
    if let ipv6, try !ipv6.bool("enabled") { hasIPv6 = false }
    subnet6 = try ipv6?.optionalText("subnet")
    dhcpRange = try reader.optionalGroup("dhcp")?.texts("range") ?? []
    let dns = try reader.optionalGroup("dns")
    domain = try dns?.optionalText("domain")
    hosts = []
    for host in try dns?.groups("hosts") ?? [] {
      hosts.append(Host(name: try host.text("name"), addresses: try host.texts("addresses")))
    }
    forwarders = try dns?.texts("forwarders") ?? []
    mtu = try reader.optionalInt("mtu")
    bridge = try reader.optionalText("bridge")
  }
}

extension NetworkSpecification {
  /// Why no guest can have an address; nil where one can.
  public func objection(to address: IPv4Address) -> String? {
    guard let subnet = subnet.flatMap({ IPv4Network($0) }) else { return nil }
    guard subnet.isHost(address) else {
      return "\(address) is no address for guests in \(subnet)"
    }
    if mode == .user, subnet.userServices.contains(address) {
      return "\(address) is what QEMU has for itself in \(subnet)"
    }
    return mode.isSegment && address == subnet.gateway
      ? "\(address) is the gateway's in \(subnet)" : nil
  }

  /// Why no guest can have an IPv6 address; nil where one can.
  public func objection(to address: IPv6Address) -> String? {
    guard let subnet = subnet6.flatMap({ IPv6Network($0) }) else { return nil }
    guard subnet.isHost(address) else {
      return "\(address) is no address for guests in \(subnet)"
    }
    return address == subnet.gateway ? "\(address) is the gateway's in \(subnet)" : nil
  }
}
