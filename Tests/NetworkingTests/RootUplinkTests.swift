import JSON
import NetworkService
import Networking
import SystemIO
import TestSupport
import Testing

@Suite("The way out through the host's routing", .serialized)
struct RootUplinkTests {
  static let directory = NetworkDirectory("/var/lib/ingot/networks/1")

  static func uplink(hostForwardsIPv6: Bool = true) throws -> RootUplink {
    try #require(
      RootUplink(
        PacketTests.network(.nat), directory: directory, hostForwardsIPv6: hostForwardsIPv6))
  }

  @Test("The network reaches the world by it and is not reached, and nothing of it stays")
  func routes() throws {
    let uplink = try Self.uplink()
    #expect(uplink.hostInterface.utf8.count == 14)
    var rig = try Rig(.strongest)
    let rules = try rig.add("rules", uplink.rules)
    rig.add(
      """
      guest world eth9 - - 198.51.100.1/24 2001:db8::1/64
      in world route add 100.64.0.0/30 via 198.51.100.2
      run ip address add 198.51.100.2/24 dev eth9
      run ip address add 2001:db8::2/64 dev eth9 nodad
      run sysctl -qw net.ipv6.conf.all.forwarding=1
      space net
      batch - \(try rig.add("links", uplink.linkCommands(namespacePID: 0).replacing("netns 0", "netns @net")))
      batch net \(try rig.add("guest", uplink.guestCommands))
      load \(rules)
      load \(rules)
      serve world 80
      serve net 80
      """)
    for (file, value) in uplink.settings {
      rig.add("run sysctl -qw \(file.replacing("/", "."))=\(value)")
    }
    rig.add(
      """
      yes tcp net 198.51.100.1 80
      yes udp net 198.51.100.1 80
      yes tcp net 2001:db8::1 80
      no tcp world 100.64.0.2 80
      load \(try rig.add("removal", PacketRules.removal(of: uplink.table)))
      batch - \(try rig.add("links-removal", uplink.linkRemoval))
      run test ! -e /proc/sys/net/ipv4/conf/\(uplink.hostInterface)
      """)
    try rig.run()
  }

  @Test("A host that does not forward IPv6 is left so")
  func noIPv6() throws {
    let uplink = try Self.uplink(hostForwardsIPv6: false)
    #expect(!uplink.guestCommands.contains("fd69:"))
    #expect(!uplink.linkCommands(namespacePID: 1).contains("fd69:"))
    #expect(uplink.settings.map(\.file) == ["net/ipv4/ip_forward"])
    var network = PacketTests.network(.nat)
    network.uplink = .userMode
    #expect(RootUplink(network, directory: Self.directory, hostForwardsIPv6: true) == nil)
  }

  /// What nft says of rules that it loaded.
  static func problem(_ rules: String, _ interface: String) throws -> String? {
    let scratch = try Scratch()
    let path = try scratch.write("rules", rules + "\n")
    let script = "nft -f \(path) && nft --json list ruleset"
    let listed = try Tool.check("unshare", ["-rn", "sh", "-c", script])
    return ForeignRules(try JSONValue(parsing: Array(listed.utf8))).problem(forwarding: interface)
  }

  @Test("A firewall that drops what is forwarded is found, until it accepts the interface")
  func foreignDrop() throws {
    func table(_ policy: String, _ rules: String) -> String {
      """
      table ip filter {
        chain DOCKER-USER {
          \(rules.hasPrefix("user ") ? String(rules.dropFirst(5)) : "return")
        }
        chain FORWARD {
          type filter hook forward priority 0; policy \(policy);
          jump DOCKER-USER
          \(rules.hasPrefix("user ") ? "" : rules)
        }
      }
      """
    }
    let uplink = try Self.uplink()
    let link = uplink.hostInterface
    #expect(try Self.problem(uplink.rules, link) == nil)
    #expect(try Self.problem(table("accept", ""), link) == nil)
    let problem = try #require(try Self.problem(table("drop", ""), link))
    #expect(problem.contains("chain 'FORWARD' of table 'ip filter'"))
    #expect(problem.contains("iptables -I DOCKER-USER -i \(link) -j ACCEPT"))
    #expect(try Self.problem(table("accept", "counter reject"), link) != nil)
    #expect(try Self.problem(table("accept", "iifname \"eth1\" drop"), link) == nil)
    #expect(try Self.problem(table("drop", "iifname \"docker0\" accept"), link) != nil)
    let accepted = "iifname \"\(link)\" counter accept\noifname \"\(link)\" accept"
    #expect(try Self.problem(table("drop", accepted), link) == nil)
    #expect(try Self.problem(table("drop", "user " + accepted), link) == nil)
  }
}

@Suite("What a guest may send and receive in a second", .serialized)
struct BandwidthTests {
  @Test("Limits hold in both directions and can be taken away", arguments: Rig.User.available)
  func limits(user: Rig.User) throws {
    var network = PacketTests.network()
    network.ports[0].inbound = 1_000_000
    var rig = try PacketTests.rig(network, user)
    let limited = try rig.add("limited", Bandwidth.commands(for: network.ports[0]))
    network.ports[0].inbound = nil
    let free = try rig.add("free", Bandwidth.commands(for: network.ports[0]))
    network.ports[0].outbound = 1_000_000
    let rules = try PacketRules(network, directory: NetworkDirectory("/n"), tracking: .internet)
    rig.add(
      """
      yes echo a 10.77.0.11 80 4000000 0 3
      run tc -batch \(limited)
      run tc -batch \(limited)
      yes echo a 10.77.0.11 80 4000000 3.3 15
      run tc -batch \(free)
      run tc -batch \(free)
      yes echo a 10.77.0.11 80 4000000 0 3
      load \(try rig.add("limited.nft", rules.text))
      yes echo a 10.77.0.11 80 4000000 2.4 15
      """)
    try rig.run()
  }
}
