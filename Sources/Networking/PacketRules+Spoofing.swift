internal import SystemIO

/// Nobody sends as another: the first rules that a guest's frame meets, on the bridge.
extension PacketRules {
  private var connected: [NetworkConfiguration.Port] { network.ports.filter(\.isConnected) }

  /// Whether a port may have no IPv4 address but its own; on a bridge of the host, where
  /// somebody else may give addresses, only if it is known.
  private func isFixed(_ port: NetworkConfiguration.Port) -> Bool {
    network.mode != .bridge || port.address != nil
  }

  var spoofingSets: [Block] {
    let own6 = connected.flatMap { port in port.own6(network).map { (port.tap, $0) } }
    let taken6 = (network.ports.flatMap { $0.own6(network) } + network.gateway6)
    let gateway = [network.segment?.gateway]
    let taken4 = (network.ports.map(\.address) + gateway).compactMap { $0 }
    return [
      .set("taps", "type ifname", network.ports.map { $0.tap.quoted }),
      .set("unplugged", "type ifname", network.ports.filter { !$0.isConnected }.map(\.tap.quoted)),
      .set(
        "macs", "type ifname . ether_addr", connected.map { "\($0.tap.quoted) . \($0.mac)" }),
      .set("fixed4", "type ifname", connected.filter(isFixed).map(\.tap.quoted)),
      // Without an address a guest asks for one, and probes the one it got.
      .set(
        "own4", "type ifname . ipv4_addr",
        connected.filter(isFixed).flatMap { port in
          (["0.0.0.0"] + [port.address].compactMap { $0 }).map { "\(port.tap.quoted) . \($0)" }
        }),
      .set("taken4", "type ipv4_addr", taken4),
      .set("own6", "type ifname . ipv6_addr", own6.map { "\($0.quoted) . \($1)" }),
      .set("taken6", "type ipv6_addr", taken6.map(\.description)),
      // The address that a neighbour message is about has no name in nft yet.
      .set(
        "target6", "typeof iifname . @th,64,128", own6.map { "\($0.quoted) . \($1.hexadecimal)" }),
      .set("takenTarget6", "typeof @th,64,128", taken6.map(\.hexadecimal)),
    ] + limits
  }

  /// What a guest may send in a second.
  ///
  /// tc(8) could limit it too, but not on every kernel: `police` is an option of its own.
  private var limits: [Block] {
    let limited = connected.compactMap { port in port.outbound.map { (port.tap, $0) } }
    guard !limited.isEmpty else { return [] }
    return limited.map { tap, rate in
      // A second's worth may come at once, and beyond it what a guest hands over as one packet.
      Block(
        head: "limit out-\(tap)",
        lines: ["rate over \(rate) bytes/second burst 65536 bytes"])
    } + [
      .map("outbound", "type ifname : limit", limited.map { "\($0.0.quoted) : \"out-\($0.0)\"" })
    ]
  }

  var spoofingChains: [Block] {
    let hasLimits = connected.contains { $0.outbound != nil }
    return [
      .chain("arp4", arpRules), .chain("internet4", rules4), .chain("internet6", rules6),
      .chain(
        "guest",
        ["iifname . ether saddr != @macs drop"]
          + (hasLimits ? ["limit name iifname map @outbound drop"] : [])
          + [
            "ether type vmap { arp : goto arp4, ip : goto internet4, ip6 : goto internet6 }",
            "drop",
          ]),
      .chain(
        "prerouting",
        [
          // Before connections are followed, so that what is dropped is in none.
          "type filter hook prerouting priority -300; policy accept;",
          network.mode == .bridge ? "iifname @taps jump guest" : "jump guest",
        ]),
    ]
  }

  private var arpRules: [String] {
    [
      "arp htype != 1 drop", "arp ptype != ip drop",
      "iifname . arp saddr ether != @macs drop",
      "iifname @fixed4 iifname . arp saddr ip != @own4 drop",
      "iifname != @fixed4 arp saddr ip @taken4 drop",
    ]
  }

  private var rules4: [String] {
    [
      // No guest gives others addresses, or tells them ways.
      "udp sport 67 drop", "udp dport 68 drop", "icmp type redirect drop",
      "iifname @fixed4 iifname . ip saddr != @own4 drop",
      "iifname != @fixed4 ip saddr @taken4 drop",
      "ip saddr 0.0.0.0 udp sport 68 udp dport 67 accept", "ip saddr 0.0.0.0 drop",
    ]
  }

  private var rules6: [String] {
    let others = "@takenTarget6 iifname . @th,64,128 != @target6 drop"
    var rules = [
      "udp sport 547 drop", "udp dport 546 drop",
      "icmpv6 type { nd-router-advert, nd-redirect } drop",
      "ip6 saddr @taken6 iifname . ip6 saddr != @own6 drop",
      "icmpv6 type nd-neighbor-advert @th,64,128 \(others)",
      // Asked from no address it claims the one it asks for.
      "icmpv6 type nd-neighbor-solicit ip6 saddr :: @th,64,128 \(others)",
    ]
    if network.mode != .bridge {
      let own = ["::", "fe80::/10"] + [network.segment6?.network].compactMap { $0 }
      rules.append("ip6 saddr != { \(own.joined(separator: ", ")) } drop")
    }
    return rules
  }
}

extension NetworkConfiguration {
  /// The hardware address that the network's bridge must have: taps come and go, and with them
  /// the one it would choose.
  public var bridgeMAC: String {
    let digits = Array(shortHash("bridge of \(segment?.network ?? "") \(segment6?.network ?? "")"))
    let pairs = stride(from: 0, to: 10, by: 2).map { String(digits[$0...($0 + 1)]) }
    return (["02"] + pairs).joined(separator: ":")
  }

  /// The IPv6 addresses of the gateway.
  var gateway6: [InternetAddress] {
    guard let segment6, mode != .bridge else { return [] }
    return
      ([InternetAddress(segment6.gateway)].compactMap { $0 }
      + HardwareAddress(bridgeMAC).addresses(in: segment6)).unique
  }
}

extension NetworkConfiguration.Port {
  /// The IPv6 addresses that are nobody else's: the one reserved, and those a host makes of its
  /// hardware address.
  func own6(_ network: NetworkConfiguration) -> [InternetAddress] {
    ([address6.flatMap { InternetAddress($0) }].compactMap { $0 }
      + HardwareAddress(mac).addresses(in: network.segment6)).unique
  }
}

extension HardwareAddress? {
  /// The link's address, and the one in a network, that a host makes of the hardware address.
  fileprivate func addresses(in segment: NetworkConfiguration.Segment?) -> [InternetAddress] {
    guard let self else { return [] }
    let prefixes = ["fe80::/64"] + [segment?.network].compactMap { $0 }
    return prefixes.compactMap { prefix in
      InternetNetwork(prefix).flatMap {
        InternetAddress(bytes: $0.first.bytes[..<8] + self.interfaceIdentifier)
      }
    }
  }
}

extension Array where Element: Hashable {
  /// The elements in their order, each once.
  var unique: [Element] {
    var seen: Set<Element> = []
    return filter { seen.insert($0).inserted }
  }
}

extension InternetAddress {
  /// As one number.
  fileprivate var hexadecimal: String {
    "0x" + bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}

extension String {
  var quoted: String { "\"\(self)\"" }
}
