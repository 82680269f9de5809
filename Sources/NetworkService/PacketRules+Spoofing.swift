public import Networking
internal import SystemIO

/// Nobody sends as another: the first rules that a guest's frame meets, on the bridge.
extension PacketRules {
  private var connected: [NetworkConfiguration.Port] { network.ports.filter(\.isConnected) }

  /// Few elements for each port: an ordinary user's nft can hand the kernel some 400 KiB at once.
  var spoofingSets: [Block] {
    let own6 = connected.flatMap { port in port.own6(network).map { (port.tap, $0.bytes) } }
    let taken6 = (network.ports.flatMap { $0.own6(network) } + network.gateway6)
    var sets: [Block] = [
      .set("unplugged", "type ifname", network.ports.filter { !$0.isConnected }.map(\.tap.quoted)),
      // Of numbers, for what stands in a request for an address, or in what a neighbour tells, has
      // no type in nft; so one set does for all places.
      .set(
        "macs", "typeof iifname . @ll,48,48",
        connected.compactMap { port in
          HardwareAddress(port.mac).map { "\(port.tap.quoted) . \($0.bytes.hexadecimal)" }
        }),
      .set(
        "own4", "type ifname . ipv4_addr",
        connected.compactMap { port in port.address.map { "\(port.tap.quoted) . \($0)" } }),
      .set(
        "own6", "typeof iifname . @nh,64,128", own6.map { "\($0.quoted) . \($1.hexadecimal)" }),
      .set("taken6", "typeof @nh,64,128", taken6.map(\.bytes.hexadecimal)),
    ]
    if network.mode == .bridge {
      // Somebody else may give addresses there: only what is known to be a port's is kept for it.
      let fixed = connected.filter { $0.address != nil }
      sets += [
        .set("taps", "type ifname", network.ports.map(\.tap.quoted)),
        .set("fixed4", "type ifname", fixed.map(\.tap.quoted)),
        .set("taken4", "type ipv4_addr", network.ports.compactMap(\.address)),
      ]
    }
    return sets + limits
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
        ["iifname . @ll,48,48 != @macs drop"]
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
    // The sender's hardware address, and its address but for a probe.
    ["arp htype != 1 drop", "arp ptype != ip drop", "iifname . @nh,64,48 != @macs drop"]
      + addressRules4("arp saddr ip")
  }

  private var rules4: [String] {
    [
      // No guest gives others addresses, or tells them ways.
      "udp sport 67 drop", "udp dport 68 drop", "icmp type redirect drop",
      // Nor gives an address back in another's name.
      "udp dport 67 iifname . @th,288,48 != @macs drop",
      // Without an address a guest asks for one.
      "ip saddr 0.0.0.0 udp sport 68 udp dport 67 accept", "ip saddr 0.0.0.0 drop",
    ] + addressRules4("ip saddr")
  }

  private func addressRules4(_ source: String) -> [String] {
    let own = "\(source) != 0.0.0.0 iifname . \(source) != @own4 drop"
    if network.mode != .bridge { return [own] }
    return ["iifname @fixed4 \(own)", "iifname != @fixed4 \(source) @taken4 drop"]
  }

  private var rules6: [String] {
    func others(_ place: String) -> String { "\(place) @taken6 iifname . \(place) != @own6 drop" }
    var rules = [
      "udp sport 547 drop", "udp dport 546 drop",
      "icmpv6 type { nd-router-advert, nd-redirect } drop", others("@nh,64,128"),
      "icmpv6 type nd-neighbor-advert \(others("@th,64,128"))",
      // Asked from no address it claims the one it asks for.
      "icmpv6 type nd-neighbor-solicit ip6 saddr :: \(others("@th,64,128"))",
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

extension [UInt8] {
  /// As one number.
  fileprivate var hexadecimal: String {
    "0x" + map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}

extension String {
  var quoted: String { "\"\(self)\"" }
}
