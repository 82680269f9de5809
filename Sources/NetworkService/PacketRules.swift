public import Networking

/// The packet rules of a network: what nft(8) reads to put them in place of the ones before.
///
/// The text is one transaction: while it is loaded each packet meets the old rules or the new
/// ones, never none.
public struct PacketRules: Sendable {
  /// How the kernel tells replies on the bridge from what begins something.
  public enum Tracking: String, Hashable, Sendable, CaseIterable {
    /// The bridge follows connections itself (nf_conntrack_bridge).
    case bridge
    /// Bridged packets pass the Internet hooks too (br_netfilter), which mark the replies.
    case internet
  }

  let network: NetworkConfiguration
  let tracking: Tracking
  /// The name of the tables, one of family `bridge` and one of family `inet`.
  public let table: String

  /// The bridge of a network that has a namespace.
  public static let bridgeName = "br0"

  /// Loads where the kernel can do `Tracking.bridge`: for `nft --check`, which changes nothing.
  public static let bridgeTrackingProbe = """
    table bridge ingot-probe {
      chain forward {
        type filter hook forward priority 10
        ct state established accept
      }
    }

    """

  /// Makes the rules of a network.
  ///
  /// - Parameter directory: the network's own; in the host's namespace the tables are named for it.
  public init(
    _ network: NetworkConfiguration, directory: NetworkDirectory, tracking: Tracking
  ) throws(NetworkError) {
    try network.check()
    self.network = network
    self.tracking = tracking
    table = network.mode == .bridge ? RootUplink.hostTable(of: directory) : "ingot"
  }

  /// Whether replies must be told from what begins something, so that `tracking` matters.
  public static func needsTracking(_ network: NetworkConfiguration) -> Bool {
    network.ports.contains { $0.filter?.ingress != nil || $0.filter?.egress != nil }
  }

  /// The kernel's settings that go with the rules, as files below `/proc/sys`.
  ///
  /// Those of `net/bridge` are missing where the kernel has no br_netfilter, which is no harm
  /// unless `tracking` is `internet`.
  public var settings: [(file: String, value: String)] {
    let passes = ["net/bridge/bridge-nf-call-iptables", "net/bridge/bridge-nf-call-ip6tables"]
    let needsPasses = Self.needsTracking(network) && tracking == .internet
    // On the host they are everybody's: switched on where needed, never off.
    if network.mode == .bridge { return needsPasses ? passes.map { ($0, "1") } : [] }
    let forwards = network.mode == .nat ? "1" : "0"
    return passes.map { ($0, needsPasses ? "1" : "0") } + [
      ("net/ipv4/ip_forward", forwards), ("net/ipv6/conf/all/forwarding", forwards),
    ]
  }

  /// The text for `nft -f -`.
  public var text: String {
    replacing("bridge", spoofingSets + filterMaps + spoofingChains + filterChains)
      + replacing("inet", network.mode == .bridge ? markingChains : routingChains)
  }

  /// The text for `nft -f -` that leaves nothing of the rules; also where they are not there.
  public var removal: String { Self.removal(of: table) }

  /// The same for tables of any name.
  public static func removal(of table: String) -> String {
    ["bridge", "inet"].map { "table \($0) \(table) {\n}\ndelete table \($0) \(table)\n" }.joined()
  }

  /// A table that takes the place of one of the same name.
  private func replacing(_ family: String, _ blocks: [Block]) -> String {
    // Made first, for what is not there can't be deleted.
    "table \(family) \(table) {\n}\ndelete table \(family) \(table)\n"
      + "table \(family) \(table) {\n"
      + blocks.map { "  \($0.head) {\n" + $0.lines.map { "    \($0)\n" }.joined() + "  }\n" }
      .joined()
      + "}\n"
  }

  /// A chain, a set or a map of a table.
  struct Block {
    let head: String
    let lines: [String]

    static func chain(_ name: String, _ lines: [String]) -> Block {
      Block(head: "chain \(name)", lines: lines)
    }

    static func set(_ name: String, _ type: String, _ elements: [String]) -> Block {
      Block(head: "set \(name)", lines: [type] + Self.line(of: elements))
    }

    static func map(_ name: String, _ type: String, _ elements: [String]) -> Block {
      Block(head: "map \(name)", lines: [type] + Self.line(of: elements))
    }

    private static func line(of elements: [String]) -> [String] {
      elements.isEmpty ? [] : ["elements = { " + elements.joined(separator: ", ") + " }"]
    }
  }
}
