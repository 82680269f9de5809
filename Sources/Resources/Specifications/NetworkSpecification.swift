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
  }

  /// The mode.
  public var mode: Mode
  /// The IPv4 network in CIDR form; nil lets the engine choose.
  public var subnet: String?
  /// First and last address given out by DHCP.
  public var dhcpRange: [String]
  /// The domain that guests' names are in.
  public var domain: String?
  /// The host's bridge, for mode `bridge`.
  public var bridge: String?

  /// Reads a normalised specification.
  public init(_ spec: JSONValue) throws(SpecificationError) {
    let reader = try SpecificationReader(spec)
    mode = try reader.choice("mode")
    subnet = try reader.optionalText("subnet")
    dhcpRange = try reader.optionalGroup("dhcp")?.texts("range") ?? []
    domain = try reader.optionalGroup("dns")?.optionalText("domain")
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
    return mode == .user && subnet.userServices.contains(address)
      ? "\(address) is what QEMU has for itself in \(subnet)" : nil
  }
}
