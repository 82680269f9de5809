internal import Networking
internal import SystemIO

/// What the ports' filters let pass, on the bridge, where it is known which port a frame leaves.
extension PacketRules {
  /// The mark's bit that the Internet hooks give replies.
  private static let mark = "0x10000000"

  /// Replies alone, not all of a connection: what its client sends is judged anew, so that a filter
  /// that is tightened ends what it no longer allows.
  private static let replies = [
    "ct state related", "ct state established ct direction reply",
  ]

  private var acceptReplies: [String] {
    tracking == .bridge
      ? Self.replies.map { "\($0) accept" } : ["meta mark & \(Self.mark) == \(Self.mark) accept"]
  }

  private var isTracked: Bool { Self.needsTracking(network) }

  /// Where the bridge does not follow connections, the Internet hooks mark the replies for it.
  var markingChains: [Block] {
    guard isTracked, tracking == .internet else { return [] }
    let hooks = network.mode == .bridge ? ["prerouting", "output"] : ["prerouting"]
    return hooks.map { hook in
      .chain(
        "mark-\(hook)",
        [
          // After the kernel has looked the connection up, at -200.
          "type filter hook \(hook) priority -150; policy accept;"
        ] + Self.replies.map { "\($0) meta mark set meta mark | \(Self.mark)" })
    }
  }

  /// Ports with the same rules share a chain, as those of one security group do.
  var filterMaps: [Block] {
    maps("egress", peer: "daddr") { $0.egress } + maps("ingress", peer: "saddr") { $0.ingress }
  }

  private func maps(
    _ direction: String, peer: String,
    _ rules: (NetworkConfiguration.Filter) -> [NetworkConfiguration.Rule]?
  ) -> [Block] {
    let filtered = network.ports.compactMap { port in
      port.filter.flatMap(rules).map { (port.tap, $0) }
    }
    let chains = filtered.map(\.1).unique
    let numbers = Dictionary(
      chains.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    return chains.enumerated().map { number, rules in
      // What returns is allowed.
      .chain("\(direction)\(number)", rules.flatMap { $0.statements(peer: peer) } + ["drop"])
    } + [
      .map(
        direction, "type ifname : verdict",
        filtered.map { tap, rules in
          "\(tap.quoted) : jump \(direction)\(numbers[rules] ?? 0)"
        })
    ]
  }

  var filterChains: [Block] {
    let ofBridge = network.mode == .bridge
    let sent = isTracked ? acceptReplies + ["iifname vmap @egress"] : []
    let got = isTracked ? ["oifname vmap @ingress"] : []
    return [
      .chain(
        "forward",
        ["type filter hook forward priority 10; policy accept;", "oifname @unplugged drop"]
          + neighbourRules
          // To the servers behind the host's bridge, not to other guests.
          + (ofBridge ? requests.map { "oifname != @taps \($0)" } : []) + sent + got),
      .chain(
        "input",
        ["type filter hook input priority 10; policy accept;"] + detourRules + neighbourRules
          + requests + nameRules + sent),
      // In a namespace the gate alone sends this way, for whom the network's supervisor chose.
      .chain(
        "output",
        ["type filter hook output priority 10; policy accept;", "oifname @unplugged drop"]
          + (ofBridge && isTracked ? neighbourRules + acceptReplies + got : [])),
    ]
  }

  /// What no network can do without; what guests may not send of it is dropped before.
  private var neighbourRules: [String] {
    [
      "ether type arp accept",
      "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, "
        + "nd-router-advert, mld-listener-query, mld-listener-report, mld-listener-done, "
        + "mld2-listener-report } accept",
      "udp sport 67 udp dport 68 accept", "udp sport 547 udp dport 546 accept",
    ]
  }

  /// How guests ask for addresses.
  private var requests: [String] {
    ["udp sport 68 udp dport 67 accept", "udp sport 546 udp dport 547 accept"]
  }

  /// How guests ask the gateway for names.
  private var nameRules: [String] {
    network.gateways.map { "\($0) meta l4proto { tcp, udp } th dport 53 accept" }
  }

  /// Guests reach each other over the bridge alone: through the gateway they would get past the
  /// filters.
  private var detourRules: [String] {
    guard network.mode != .bridge else { return [] }
    return [("ip", network.segment), ("ip6", network.segment6)].compactMap { family, segment in
      segment.map { "\(family) daddr \($0.network) \(family) daddr != \($0.gateway) drop" }
    }
  }
}

extension NetworkConfiguration {
  /// Matches for what is sent to the gateway.
  var gateways: [String] {
    guard mode != .bridge else { return [] }
    return [segment.map { "ip daddr \($0.gateway)" }, segment6.map { "ip6 daddr \($0.gateway)" }]
      .compactMap { $0 }
  }
}

extension NetworkConfiguration.Rule {
  /// Statements that return where a packet matches, one for each family that is asked for.
  fileprivate func statements(peer: String) -> [String] {
    let ports = ports.merged.map {
      $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)"
    }
    let content: String
    switch self.protocol {
    case .any: content = ""
    case .icmp: content = "meta l4proto { icmp, ipv6-icmp } "
    case .tcp, .udp:
      content =
        ports.isEmpty
        ? "meta l4proto \(self.protocol.rawValue) "
        : "\(self.protocol.rawValue) dport { \(ports.joined(separator: ", ")) } "
    }
    if peers.isEmpty { return [content + "return"] }
    let networks = peers.compactMap { InternetNetwork($0) }.withoutContained
    return [("ip", networks.filter { !$0.first.isIPv6 }), ("ip6", networks.filter(\.first.isIPv6))]
      .compactMap { family, networks in
        if networks.isEmpty { return nil }
        if networks[0].prefix == 0 { return content + "ether type \(family) return" }
        let list = networks.map(\.description).joined(separator: ", ")
        return content + "\(family) \(peer) { \(list) } return"
      }
  }
}

extension [ClosedRange<UInt16>] {
  /// The same numbers in ranges that do not touch: nft refuses a set whose ranges overlap.
  fileprivate var merged: [ClosedRange<UInt16>] {
    var merged: [ClosedRange<UInt16>] = []
    for range in sorted(by: { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }) {
      if let last = merged.last, Int(range.lowerBound) <= Int(last.upperBound) + 1 {
        merged[merged.count - 1] = last.lowerBound...Swift.max(last.upperBound, range.upperBound)
      } else {
        merged.append(range)
      }
    }
    return merged
  }
}

extension [InternetNetwork] {
  /// The same addresses in networks of which none contains another.
  fileprivate var withoutContained: [InternetNetwork] {
    let networks = unique
    return networks.filter { network in
      !networks.contains {
        $0 != network && $0.prefix <= network.prefix && $0.contains(network.first)
      }
    }
  }
}
