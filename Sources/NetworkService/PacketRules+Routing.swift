internal import Networking

/// What the network's namespace takes itself, passes on and translates.
extension PacketRules {
  private static let neighbours =
    "{ nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, "
    + "mld-listener-query, mld-listener-report, mld2-listener-report }"

  var routingChains: [Block] {
    var blocks = markingChains + [.chain("input", inputRules), .chain("forward", forwardRules)]
    if let uplink = network.uplink.interface {
      blocks.append(
        .chain(
          "postrouting",
          [
            "type nat hook postrouting priority 100; policy accept;",
            "oifname \(uplink.quoted) masquerade",
          ]))
    }
    return blocks
  }

  /// The gateway serves addresses and names and answers pings, and nothing else.
  private var inputRules: [String] {
    let bridge = "iifname \(Self.bridgeName.quoted)"
    var rules = [
      "type filter hook input priority 0; policy drop;", "iifname \"lo\" accept",
      "ct state established,related accept", "icmpv6 type \(Self.neighbours) accept",
      "\(bridge) udp sport 68 udp dport 67 accept", "\(bridge) udp sport 546 udp dport 547 accept",
      "\(bridge) icmp type echo-request accept", "\(bridge) icmpv6 type echo-request accept",
    ]
    rules += network.gateways.map {
      "\(bridge) \($0) meta l4proto { tcp, udp } th dport 53 accept"
    }
    if let uplink = network.uplink.interface {
      rules.append("iifname \(uplink.quoted) icmpv6 type nd-router-advert accept")
    }
    return rules
  }

  private var forwardRules: [String] {
    let bridge = Self.bridgeName.quoted
    var rules = [
      "type filter hook forward priority 0; policy drop;",
      // What stays on the bridge passes here too where br_netfilter is on.
      "iifname \(bridge) oifname \(bridge) accept",
    ]
    guard let uplink = network.uplink.interface?.quoted else { return rules }
    // What belongs to no connection would leave untranslated.
    rules += ["ct state invalid drop", "tcp flags syn tcp option maxseg size set rt mtu"]
    rules += uplinkOwn.map { "oifname \(uplink) \($0) drop" }
    rules += [
      "iifname \(bridge) oifname \(uplink) accept",
      "iifname \(uplink) oifname \(bridge) ct state established,related accept",
    ]
    return rules
  }

  /// Matches for the uplink's own addresses, behind which the host's own services could be.
  private var uplinkOwn: [String] {
    switch network.uplink {
    case .none: []
    case .userMode: ["ip daddr 10.0.2.0/24", "ip6 daddr fd00::/64"]
    case .veth(let host, _):
      ["ip daddr \(host)", "ip6 daddr \(NetworkConfiguration.Uplink.address6(for: host))"]
    }
  }
}
