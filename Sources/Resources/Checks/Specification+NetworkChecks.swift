internal import Diagnostics
internal import JSON

extension Specification {
  static func problems(_ network: NetworkSpecification, _ spec: JSONValue) -> [Diagnostic] {
    modeProblems(network, spec) + subnetProblems(network) + nameProblems(network)
  }

  // MARK: Fields that the mode has nothing to do with

  private static func modeProblems(
    _ network: NetworkSpecification, _ spec: JSONValue
  ) -> [Diagnostic] {
    var found: [Diagnostic] = []
    switch network.mode {
    case .user:
      for path in ["ipv6", "dns.hosts", "dns.forwarders", "mtu"] where isSet(path, spec) {
        found.append(
          conflict(
            "mode user has no such thing", "spec.\(path)",
            help: "remove '\(lastName(path))' or write 'mode: nat'"))
      }
    case .nat: break
    case .isolated where !network.forwarders.isEmpty:
      found.append(
        conflict(
          "mode isolated has no way to another name server", "spec.dns.forwarders",
          help: "remove 'forwarders' or write 'mode: nat'"))
    case .isolated: break
    case .bridge:
      for path in ["subnet", "ipv6", "dhcp", "dns"] where isSet(path, spec) {
        found.append(
          conflict(
            "mode bridge leaves that to what is behind the bridge", "spec.\(path)",
            help: "remove '\(path)' or write 'mode: nat'"))
      }
    }
    if network.mode == .bridge, network.bridge == nil {
      found.append(conflict("mode bridge needs the host's bridge", "spec.bridge"))
    } else if network.mode != .bridge, network.bridge != nil {
      found.append(
        conflict(
          "mode \(network.mode.rawValue) has no bridge of the host", "spec.bridge",
          help: "remove 'bridge' or write 'mode: bridge'"))
    }
    return found
  }

  /// Whether a field holds more than an empty list, which stands for what is left out.
  private static func isSet(_ path: String, _ spec: JSONValue) -> Bool {
    var value: JSONValue? = spec
    for name in path.split(separator: ".") { value = value?[String(name)] }
    guard let value, !value.isNull else { return false }
    return value.array?.isEmpty != true
  }

  private static func lastName(_ path: String) -> Substring {
    path.split(separator: ".").last ?? ""
  }

  // MARK: Addresses

  private static func subnetProblems(_ network: NetworkSpecification) -> [Diagnostic] {
    var found: [Diagnostic] = []
    let subnet = network.subnet.flatMap { IPv4Network($0) }
    if let subnet, subnet.prefix > 29 {
      found.append(
        conflict(
          "\(subnet) has no room for guests", "spec.subnet", help: "use a prefix of 29 or shorter"))
    } else if let subnet, !subnet.isUnicast {
      found.append(
        conflict(
          "\(subnet) is no network for guests", "spec.subnet",
          help: "use a private one, such as '10.77.0.0/24'"))
    }
    found += rangeProblems(network.dhcpRange.compactMap { IPv4Address($0) }, network, subnet)
    guard network.mode.isSegment else { return found }
    return found + subnet6Problems(network)
  }

  private static func subnet6Problems(_ network: NetworkSpecification) -> [Diagnostic] {
    var found: [Diagnostic] = []
    if let subnet = network.subnet6.flatMap({ IPv6Network($0) }) {
      if !network.hasIPv6 {
        found.append(
          conflict(
            "IPv6 is off", "spec.ipv6.subnet", help: "remove 'subnet' or write 'enabled: true'"))
      }
      if subnet.prefix != 64 || !subnet.isUnicast {
        found.append(
          conflict(
            "\(subnet) is no network for guests", "spec.ipv6.subnet",
            help: "use a /64, such as the private 'fd00:77::/64'"))
      }
    }
    if let mtu = network.mtu, mtu < 1280, network.hasIPv6 {
      found.append(
        conflict(
          "IPv6 needs an MTU of at least 1280", "spec.mtu",
          help: "raise it, or write 'ipv6: {enabled: false}'"))
    }
    return found
  }

  private static func rangeProblems(
    _ range: [IPv4Address], _ network: NetworkSpecification, _ subnet: IPv4Network?
  ) -> [Diagnostic] {
    let path = "spec.dhcp.range"
    if network.dhcpRange.isEmpty || network.mode == .bridge { return [] }
    guard range.count == 2 else {
      return [
        conflict(
          "the range has \(network.dhcpRange.count) addresses", path,
          help: "write the first and the last address")
      ]
    }
    if range[1] < range[0] {
      return [conflict("the range ends at \(range[1]), before it begins", path)]
    }
    guard subnet != nil else {
      return [
        conflict("a range of addresses needs 'subnet'", path, help: "write 'subnet' beside 'dhcp'")
      ]
    }
    return range.compactMap { network.objection(to: $0) }.map { conflict($0, path) }
  }

  // MARK: Names

  private static func nameProblems(_ network: NetworkSpecification) -> [Diagnostic] {
    guard network.mode.isSegment else { return [] }
    var found: [Diagnostic] = []
    var names: Set<String> = []
    for host in network.hosts {
      let path = "spec.dns.hosts[\(host.name)]"
      // The same text twice is the list's to report.
      let isNew = names.insert(network.fullName(host.name)).inserted
      if !isNew, network.hosts.count(where: { $0.name == host.name }) == 1 {
        found.append(
          conflict(
            "'\(network.fullName(host.name))' stands twice in the list", path + ".name",
            help: "write all its addresses in one place"))
      }
      if host.addresses.isEmpty {
        found.append(
          conflict("the name has no address", path + ".addresses", help: "write at least one"))
      }
      found += repetitions(host.addresses, path + ".addresses")
    }
    return found + repetitions(network.forwarders, "spec.dns.forwarders")
  }

  /// Texts that stand in a list more than once.
  static func repetitions(_ texts: [String], _ path: String) -> [Diagnostic] {
    var seen: Set<String> = []
    return texts.enumerated().filter { !seen.insert($0.element).inserted }.map { index, text in
      conflict("\(text) stands twice in the list", "\(path)[\(index)]", help: "remove one of them")
    }
  }
}

extension NetworkSpecification {
  /// A name in the network as its name server knows it: in lower case, with the domain.
  public func fullName(_ name: String) -> String {
    let name = name.lowercased()
    guard let domain, !name.utf8.contains(UInt8(ascii: ".")) else { return name }
    return "\(name).\(domain.lowercased())"
  }
}
