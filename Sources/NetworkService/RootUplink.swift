public import Networking

/// The way out through the host's own routing: what root does in the host for it.
///
/// One pair of interfaces and one table of rules, both named for the network's directory.
public struct RootUplink: Hashable, Sendable {
  /// The host's end of the pair.
  public let hostInterface: String
  /// The table of the host's rules.
  public let table: String
  private let host: String
  private let guest: String
  private let mtu: Int
  private let routesIPv6: Bool

  /// The network's end of the pair, in its namespace.
  public static let guestInterface = "up0"

  /// The host's end of a network's pair.
  static func hostInterface(of directory: NetworkDirectory) -> String {
    "igh" + shortHash(directory.path)
  }

  /// The name of a network's tables in the host, also of mode bridge.
  static func hostTable(of directory: NetworkDirectory) -> String {
    "ingot-" + shortHash(directory.path)
  }

  /// The uplink of a network; nil where it has another.
  ///
  /// - Parameter hostForwardsIPv6: what the host's `net/ipv6/conf/all/forwarding` says. It is not
  ///   set for this: a host that forwards no longer hears of its own routers.
  public init?(
    _ network: NetworkConfiguration, directory: NetworkDirectory, hostForwardsIPv6: Bool
  ) {
    guard case .veth(let host, let guest) = network.uplink else { return nil }
    hostInterface = Self.hostInterface(of: directory)
    table = Self.hostTable(of: directory)
    self.host = host
    self.guest = guest
    mtu = network.mtu
    routesIPv6 = hostForwardsIPv6 && network.segment6 != nil
  }

  /// The host's settings it needs, as files below `/proc/sys`.
  public var settings: [(file: String, value: String)] { [("net/ipv4/ip_forward", "1")] }

  /// Makes the pair: for `ip -batch -` in the host.
  ///
  /// - Parameter namespacePID: a process in the network's namespace.
  public func linkCommands(namespacePID: Int32) -> String {
    var lines = [
      "link add name \(hostInterface) mtu \(mtu) type veth "
        + "peer name \(Self.guestInterface) mtu \(mtu) netns \(namespacePID)",
      // No addresses but these: nothing of the link's own leaves it.
      "link set dev \(hostInterface) addrgenmode none",
      "address add \(host)/30 dev \(hostInterface)",
    ]
    if routesIPv6 { lines.append("address add \(host6)/126 dev \(hostInterface) nodad") }
    lines.append("link set dev \(hostInterface) up")
    return lines.map { $0 + "\n" }.joined()
  }

  /// Gives the network's end its addresses and routes: for `ip -batch -` in the namespace.
  public var guestCommands: String {
    var lines = [
      "link set dev \(Self.guestInterface) addrgenmode none",
      "address add \(guest)/30 dev \(Self.guestInterface)",
    ]
    if routesIPv6 { lines.append("address add \(guest6)/126 dev \(Self.guestInterface) nodad") }
    lines += [
      "link set dev \(Self.guestInterface) up",
      "route replace default via \(host) dev \(Self.guestInterface)",
    ]
    if routesIPv6 {
      lines.append("route replace default via \(host6) dev \(Self.guestInterface)")
    }
    return lines.map { $0 + "\n" }.joined()
  }

  /// The host's rules: for `nft -f -`; again and again to the same end.
  public var rules: String {
    let link = hostInterface.quoted
    return "table inet \(table) {\n}\ndelete table inet \(table)\n"
      + """
      table inet \(table) {
        chain forward {
          type filter hook forward priority 0; policy accept;
          iifname \(link) accept
          oifname \(link) ct state established,related accept
          oifname \(link) drop
        }
        chain postrouting {
          type nat hook postrouting priority 100; policy accept;
          ip saddr \(guest) oifname != \(link) masquerade
          ip6 saddr \(guest6) oifname != \(link) masquerade
        }
      }

      """
  }

  /// Takes the pair away: for `ip -batch -`; fails where there is none.
  public var linkRemoval: String { "link delete dev \(hostInterface)\n" }

  private var host6: String { NetworkConfiguration.Uplink.address6(for: host) }
  private var guest6: String { NetworkConfiguration.Uplink.address6(for: guest) }
}
