internal import SystemIO

extension NetworkConfiguration {
  /// Checks that every value is of its form and that they go together.
  ///
  /// What is made of a configuration (rules, dnsmasq's files, commands) counts on this: none of
  /// its texts can hold more than one word there.
  public func check() throws(NetworkError) {
    let place = "network '\(name)'"
    try require(!name.isEmpty, place, "has no name")
    try require((576...65_520).contains(mtu), place, "has an MTU of \(mtu), not 576 to 65520")
    try require(
      segment6 == nil || mtu >= 1280, place, "has an MTU of \(mtu); IPv6 needs 1280 at least")
    try checkMode(place)
    try segment?.check(isIPv6: false, "\(place): segment")
    try segment6?.check(isIPv6: true, "\(place): segment6")
    if let domain {
      try require(isDomainName(domain), place, "has the domain '\(domain)', which is no DNS name")
    }
    for record in hosts { try record.check(place) }
    for forwarder in forwarders {
      try require(
        InternetAddress(forwarder) != nil, place, "forwards to '\(forwarder)', which is no address")
    }
    for port in ports { try port.check(self, "\(place), port '\(port.id)'") }
    try checkUniqueness(place)
  }

  private func checkMode(_ place: String) throws(NetworkError) {
    if mode == .bridge {
      try require(
        bridge.map(isInterfaceName) == true, place,
        "is of mode bridge and names '\(bridge ?? "")', which is no interface's name")
      try require(
        segment == nil && segment6 == nil, place, "is of mode bridge, where addresses are others'")
    } else {
      try require(bridge == nil, place, "names a bridge and is not of mode bridge")
      try require(
        segment != nil || segment6 != nil, place, "has neither IPv4 nor IPv6 addresses")
    }
    try require(mode == .nat || uplink == .none, place, "has an uplink and is not of mode nat")
    guard case .veth(let host, let guest) = uplink else { return }
    guard let host = InternetAddress(host), let guest = InternetAddress(guest), !host.isIPv6,
      !guest.isIPv6, host != guest, host.bytes[..<3] == guest.bytes[..<3],
      host.bytes[3] & ~3 == guest.bytes[3] & ~3,
      [host, guest].allSatisfy({ (1...2).contains($0.bytes[3] & 3) })
    else { throw NetworkError("\(place): its uplink's ends are not the two hosts of one /30") }
  }

  /// Nothing that names one port may name two.
  private func checkUniqueness(_ place: String) throws(NetworkError) {
    var taken: Set<String> = []
    func claim(_ sort: String, _ value: String?) throws(NetworkError) {
      guard let value else { return }
      try require(taken.insert("\(sort) \(value)").inserted, place, "has \(sort) \(value) twice")
    }
    for gateway in [segment?.gateway, segment6?.gateway] {
      try claim("address", gateway.flatMap { InternetAddress($0)?.description })
    }
    for port in ports {
      try claim("port", port.id)
      try claim("tap", port.tap)
      try claim("MAC", HardwareAddress(port.mac)?.description)
      try claim("host name", port.hostName.lowercased())
      for address in [port.address, port.address6] {
        try claim("address", address.flatMap { InternetAddress($0)?.description })
      }
      for forward in port.forwards {
        let address = InternetAddress(forward.hostAddress)?.description ?? ""
        try claim("forward", "\(forward.transport) \(address) port \(forward.hostPort)")
      }
    }
  }
}

private func require(
  _ condition: Bool, _ place: String, _ problem: @autoclosure () -> String
) throws(NetworkError) {
  if !condition { throw NetworkError("\(place) \(problem())") }
}

extension NetworkConfiguration.Segment {
  func check(isIPv6: Bool, _ place: String) throws(NetworkError) {
    guard let range = InternetNetwork(network), range.first.isIPv6 == isIPv6 else {
      throw NetworkError(
        "\(place): '\(network)' is no network of \(isIPv6 ? "IPv6" : "IPv4") in CIDR form")
    }
    // Guests make IPv6 addresses of their own of 64 bits of prefix, no more and no less.
    try require(
      isIPv6 ? range.prefix == 64 : (8...30).contains(range.prefix), place,
      "has a prefix of \(range.prefix) bits, not \(isIPv6 ? "64" : "8 to 30")")
    try require(
      range.isHost(gateway), place, "has the gateway '\(gateway)', no host's address in \(network)")
  }
}

extension InternetNetwork {
  /// Whether the text is an address that a host may have: in the network, not its first, and not
  /// its last.
  func isHost(_ text: String) -> Bool {
    guard let address = InternetAddress(text) else { return false }
    return contains(address) && address != first && address != last
  }
}

extension NetworkConfiguration.HostRecord {
  func check(_ place: String) throws(NetworkError) {
    try require(isDomainName(name), place, "has a host '\(name)', which is no DNS name")
    try require(!addresses.isEmpty, place, "has a host '\(name)' without addresses")
    for address in addresses {
      try require(
        InternetAddress(address) != nil, place, "has a host '\(name)' at '\(address)', no address")
    }
  }
}

extension NetworkConfiguration.Port {
  func check(_ network: NetworkConfiguration, _ place: String) throws(NetworkError) {
    try require(!id.isEmpty, place, "has no id")
    try require(
      HardwareAddress(mac)?.isOneInterface == true, place,
      "has the MAC '\(mac)', no hardware address of one interface")
    try require(isLabel(hostName), place, "has the name '\(hostName)', which is no DNS label")
    if network.mode == .bridge {
      // Somebody else's network: any address of the family.
      try checkAddress(address, "0.0.0.0/0", place)
      try checkAddress(address6, "::/0", place)
    } else {
      try checkAddress(address, network.segment?.network, place)
      try checkAddress(address6, network.segment6?.network, place)
    }
    try require(
      (inbound ?? 1) > 0 && (outbound ?? 1) > 0, place, "is limited to no bytes per second")
    try require(
      forwards.isEmpty || address != nil || address6 != nil, place,
      "has forwards and no address they could lead to")
    for forward in forwards {
      try require(
        InternetAddress(forward.hostAddress) != nil, place,
        "forwards from '\(forward.hostAddress)', which is no address")
      try require(
        forward.hostPort > 0 && forward.guestPort > 0, place, "forwards from or to port 0")
    }
    for rule in (filter?.ingress ?? []) + (filter?.egress ?? []) { try rule.check(place) }
  }

  private func checkAddress(
    _ address: String?, _ network: String?, _ place: String
  ) throws(NetworkError) {
    guard let address else { return }
    try require(
      network.flatMap(InternetNetwork.init)?.isHost(address) == true, place,
      "has the address '\(address)', no host's in \(network ?? "a network without such addresses")")
  }
}

extension NetworkConfiguration.Rule {
  func check(_ place: String) throws(NetworkError) {
    try require(
      ports.isEmpty || self.protocol == .tcp || self.protocol == .udp, place,
      "has a rule with ports for '\(self.protocol.rawValue)', which has none")
    for peer in peers {
      try require(
        InternetNetwork(peer) != nil, place, "has a rule for '\(peer)', no network in CIDR form")
    }
  }
}

/// Whether a text is one label of a DNS name as hosts have them (RFC 1123).
private func isLabel(_ text: some StringProtocol) -> Bool {
  let bytes = Array(text.utf8)
  let hyphen = UInt8(ascii: "-")
  return (1...63).contains(bytes.count) && bytes.first != hyphen && bytes.last != hyphen
    && bytes.allSatisfy { isAlphanumeric($0) || $0 == hyphen }
}

private func isAlphanumeric(_ byte: UInt8) -> Bool {
  // A letter's two cases differ in one bit.
  (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
}

private func isDomainName(_ text: String) -> Bool {
  text.utf8.count <= 253
    && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { isLabel($0) }
}

/// Whether a text can name an interface, and nothing else in a command.
private func isInterfaceName(_ text: String) -> Bool {
  (1...15).contains(text.utf8.count) && text.utf8.first.map(isAlphanumeric) == true
    && text.utf8.allSatisfy { isAlphanumeric($0) || "-_.".utf8.contains($0) }
}
