import NetworkService
import Networking
import TestSupport
import Testing

@Suite("What a network's rules let pass", .serialized)
struct PacketTests {
  typealias Port = NetworkConfiguration.Port
  typealias Filter = NetworkConfiguration.Filter
  typealias Rule = NetworkConfiguration.Rule

  /// Three machines: a, b, and c whose cable is out.
  static func network(_ mode: NetworkConfiguration.Mode = .isolated) -> NetworkConfiguration {
    NetworkConfiguration(
      name: "lab", mode: mode,
      uplink: mode == .nat ? .veth(host: "100.64.0.1", guest: "100.64.0.2") : .none,
      segment: NetworkConfiguration.Segment(network: "10.77.0.0/24", gateway: "10.77.0.1"),
      segment6: NetworkConfiguration.Segment(network: "fd00:77::/64", gateway: "fd00:77::1"),
      ports: ["a", "b", "c"].enumerated().map { index, name in
        Port(
          id: "\(name)/lan", mac: "52:54:00:00:00:0\(name)", address: "10.77.0.1\(index)",
          address6: "fd00:77::1\(index)", hostName: name, isConnected: name != "c")
      })
  }

  static func rig(_ network: NetworkConfiguration, _ user: Rig.User) throws -> Rig {
    var rig = try Rig(user)
    let rules = try PacketRules(
      network, directory: NetworkDirectory("/n"), tracking: .internet)
    try rig.bridge(network, rules: rules)
    for port in network.ports {
      rig.guest(port.hostName, port, via: ["10.77.0.1", "fd00:77::1"])
      rig.add("serve \(port.hostName) 80 81")
    }
    return rig
  }

  @Test(
    "Guests reach each other, and of the gateway addresses, names and pings",
    arguments: Rig.User.available)
  func isolated(user: Rig.User) throws {
    var rig = try Self.rig(Self.network(), user)
    rig.add(
      """
      serve - 53 80
      yes tcp a 10.77.0.11 80
      yes udp b 10.77.0.10 81
      yes tcp a fd00:77::11 80
      yes ping a 10.77.0.11
      yes ping a 10.77.0.1
      yes ping a fd00:77::1
      yes udp a 10.77.0.1 53
      yes tcp a fd00:77::1 53
      no tcp a 10.77.0.1 80
      no udp a fd00:77::1 80
      no tcp a 10.77.0.12 80
      no tcp c 10.77.0.10 80
      yes tcp - 10.77.0.10 80
      """)
    try rig.run()
  }

  @Test("Nobody sends as another", arguments: Rig.User.available)
  func spoofing(user: Rig.User) throws {
    var network = Self.network()
    network.ports[2].isConnected = true
    var rig = try Self.rig(network, user)
    let (a, b) = ("52:54:00:00:00:0a", "52:54:00:00:00:0b")
    let all = "ff:ff:ff:ff:ff:ff"
    let gateway = network.bridgeMAC
    rig.add(
      """
      yes frame a b \(b) \(a) udp 10.77.0.10 10.77.0.11 7 7
      no frame a b \(b) 52:54:00:00:00:0c udp 10.77.0.10 10.77.0.11 7 7
      no frame a b \(b) \(gateway) udp 10.77.0.10 10.77.0.11 7 7
      no frame a b \(b) \(a) udp 10.77.0.12 10.77.0.11 7 7
      no frame a b \(b) \(a) udp 10.77.0.1 10.77.0.11 7 7
      no frame a b \(b) \(a) udp 192.0.2.1 10.77.0.11 7 7
      no frame a b \(b) \(a) vlan 10.77.0.10 10.77.0.11 7 7
      no frame a b \(b) \(a) raw 88cc0001
      yes frame a b \(all) \(a) dhcp 0.0.0.0 255.255.255.255 \(a)
      no frame a b \(all) \(a) dhcp 0.0.0.0 255.255.255.255 \(b)
      no frame a b \(all) \(a) dhcp 10.77.0.10 10.77.0.1 \(b)
      no frame a b \(all) \(a) udp 0.0.0.0 255.255.255.255 7 7
      no frame a b \(all) \(a) udp 10.77.0.10 255.255.255.255 67 68
      no frame a b \(b) \(a) udp fd00:77::10 fd00:77::11 547 546
      yes frame a b \(all) \(a) arp \(a) 10.77.0.10 10.77.0.11
      yes frame a b \(all) \(a) arp \(a) 0.0.0.0 10.77.0.12
      no frame a b \(all) \(a) arp \(a) 10.77.0.12 10.77.0.11
      no frame a b \(all) \(a) arp \(a) 10.77.0.1 10.77.0.1 2
      no frame a b \(all) \(a) arp \(b) 10.77.0.10 10.77.0.11
      yes frame a b \(b) \(a) udp fd00:77::10 fd00:77::11 7 7
      yes frame a b \(b) \(a) udp fd00:77::beef fd00:77::11 7 7
      yes frame a b \(b) \(a) udp fe80::5054:ff:fe00:a fd00:77::11 7 7
      no frame a b \(b) \(a) udp fd00:77::12 fd00:77::11 7 7
      no frame a b \(b) \(a) udp fd00:77::1 fd00:77::11 7 7
      no frame a b \(b) \(a) udp fe80::5054:ff:fe00:c fd00:77::11 7 7
      no frame a b \(b) \(a) udp fd00:77::5054:ff:fe00:c fd00:77::11 7 7
      no frame a b \(b) \(a) udp 2001:db8::1 fd00:77::11 7 7
      no frame a b \(b) \(a) nd 134 fe80::5054:ff:fe00:a ff02::1
      no frame a b \(b) \(a) nd 137 fe80::5054:ff:fe00:a ff02::1
      yes frame a b \(b) \(a) nd 136 fd00:77::10 fd00:77::11 fd00:77::10
      yes frame a b \(b) \(a) nd 136 fd00:77::beef fd00:77::11 fd00:77::beef
      no frame a b \(b) \(a) nd 136 fd00:77::10 fd00:77::11 fd00:77::12
      no frame a b \(b) \(a) nd 136 fd00:77::10 fd00:77::11 fd00:77::1
      yes frame a b \(b) \(a) nd 135 fd00:77::10 fd00:77::11 fd00:77::12
      no frame a b \(b) \(a) nd 135 :: ff02::1 fd00:77::12
      yes frame a b \(b) \(a) nd 135 :: ff02::1 fd00:77::10
      """)
    try rig.run()
  }

  @Test(
    "Filters hold between guests and to the gateway, and replies pass",
    arguments: Rig.User.available
  )
  func filters(user: Rig.User) throws {
    var network = Self.network()
    network.ports[2].isConnected = true
    // b serves 80 to a, and asks nobody anything.
    network.ports[1].filter = Filter(
      ingress: [Rule(.tcp, ports: [80...80], peers: ["10.77.0.10/32", "fd00:77::10/128"])],
      egress: [])
    // c may be asked nothing, and asks for UDP alone.
    network.ports[2].filter = Filter(ingress: [], egress: [Rule(.udp)])
    var rig = try Self.rig(network, user)
    rig.add(
      """
      serve - 53
      yes tcp a 10.77.0.11 80
      yes tcp a fd00:77::11 80
      no tcp a 10.77.0.11 81
      no udp a 10.77.0.11 80
      no ping a 10.77.0.11
      no tcp c 10.77.0.11 80
      no tcp b 10.77.0.10 80
      no ping b 10.77.0.10
      no ping b fd00:77::1
      yes udp b 10.77.0.1 53
      yes tcp b fd00:77::1 53
      no tcp a 10.77.0.12 80
      no udp a 10.77.0.12 80
      yes udp c 10.77.0.10 80
      yes udp c fd00:77::10 80
      no tcp c 10.77.0.10 80
      no ping c 10.77.0.1
      yes tcp - 10.77.0.11 81
      """)
    // Round the filters through the gateway.
    rig.add(
      """
      in a route add 10.77.0.12/32 via 10.77.0.1
      no udp a 10.77.0.12 80
      """)
    try rig.run()
  }

  @Test(
    "A network of mode nat reaches the world, not what is the uplink's own, and is not reached",
    arguments: Rig.User.available)
  func nat(user: Rig.User) throws {
    var network = Self.network(.nat)
    network.ports[1].filter = Filter(
      egress: [Rule(.tcp, ports: [80...80], peers: ["198.51.100.0/24"]), Rule(.icmp)])
    var rig = try Self.rig(network, user)
    rig.add(
      """
      guest world up0 - - 100.64.0.1/30 fd69:6e67:6f74::100.64.0.1/126
      in world address add 198.51.100.1/32 dev lo
      in world address add 2001:db8::1/128 dev lo
      in world route add 10.77.0.0/24 via 100.64.0.2
      in world route add 100.64.0.2/32 dev eth0 src 198.51.100.1
      run ip address add 100.64.0.2/30 dev up0
      run ip address add fd69:6e67:6f74::100.64.0.2/126 dev up0 nodad
      run ip route add default via 100.64.0.1
      run ip route add default via fd69:6e67:6f74::100.64.0.1
      serve world 80 81
      serve - 80
      yes tcp a 198.51.100.1 80
      yes udp a 198.51.100.1 81
      yes tcp a 2001:db8::1 80
      yes ping a 2001:db8::1
      no tcp a 100.64.0.1 80
      no tcp a fd69:6e67:6f74::6440:1 80
      no tcp world 10.77.0.10 80
      no tcp world 100.64.0.2 80
      no tcp a 100.64.0.2 80
      yes tcp b 198.51.100.1 80
      yes ping b 198.51.100.1
      no tcp b 198.51.100.1 81
      no tcp b 2001:db8::1 80
      """)
    try rig.run()
  }

  @Test(
    "A connection outlives new rules that allow it, and new rules hold at once",
    arguments: Rig.User.available)
  func reload(user: Rig.User) throws {
    var network = Self.network(.nat)
    network.ports[1].filter = Filter(ingress: [Rule(.any, peers: ["0.0.0.0/0"])])
    var rig = try Self.rig(network, user)
    network.ports[1].filter = Filter(
      ingress: [
        Rule(.tcp, ports: [81...81, 80...90, 91...92], peers: ["10.0.0.0/8", "10.77.0.0/24"])
      ])
    network.ports[0].outbound = 10_000_000
    let later = try PacketRules(network, directory: NetworkDirectory("/n"), tracking: .internet)
    network.ports[1].filter = Filter(ingress: [Rule(.tcp, ports: [81...81])])
    let closed = try PacketRules(network, directory: NetworkDirectory("/n"), tracking: .internet)
    let path = try rig.add("later.nft", later.text)
    let closedPath = try rig.add("closed.nft", closed.text)
    let removal = try rig.add("removal.nft", later.removal)
    rig.add(
      """
      yes hold a one 10.77.0.11 80
      yes held a one
      yes udp a 10.77.0.11 80
      load \(path)
      yes held a one
      no udp a 10.77.0.11 80
      yes tcp a 10.77.0.11 81
      load \(path)
      yes held a one
      load \(closedPath)
      yes tcp a 10.77.0.11 81
      no held a one
      load \(removal)
      load \(removal)
      yes udp a 10.77.0.11 80
      """)
    try rig.run()
  }

  @Test("On a bridge of the host guests' ports alone are ruled", arguments: Rig.User.available)
  func hostBridge(user: Rig.User) throws {
    let network = NetworkConfiguration(
      name: "office", mode: .bridge, bridge: "br0",
      ports: [
        Port(
          id: "a/lan", mac: "52:54:00:00:00:0a", address: "10.77.0.10", hostName: "a",
          filter: Filter(ingress: [])),
        Port(id: "b/lan", mac: "52:54:00:00:00:0b", hostName: "b"),
      ])
    var rig = try Rig(user)
    let rules = try PacketRules(network, directory: NetworkDirectory("/n"), tracking: .internet)
    #expect(rules.table.hasPrefix("ingot-"))
    try rig.bridge(network, rules: rules)
    let (a, b, server) = ("52:54:00:00:00:0a", "52:54:00:00:00:0b", "52:54:00:00:00:01")
    rig.add(
      """
      run ip address add 10.77.0.1/24 dev br0
      guest a \(network.ports[0].tap) \(a) br0 10.77.0.10/24
      guest b \(network.ports[1].tap) \(b) br0 10.77.0.11/24
      guest office eth7 \(server) br0 10.77.0.2/24
      serve a 80
      serve b 80
      serve office 80
      serve - 80
      yes tcp a 10.77.0.11 80
      yes tcp a 10.77.0.2 80
      yes tcp a 10.77.0.1 80
      no tcp b 10.77.0.10 80
      no tcp office 10.77.0.10 80
      no tcp - 10.77.0.10 80
      yes tcp office 10.77.0.11 80
      yes tcp - 10.77.0.11 80
      yes frame office a \(a) \(server) udp 10.77.0.2 255.255.255.255 67 68
      no frame b a \(a) \(b) udp 10.77.0.11 255.255.255.255 67 68
      no frame b office \(server) \(b) udp 10.77.0.10 10.77.0.2 7 7
      no frame b office \(server) \(a) udp 10.77.0.11 10.77.0.2 7 7
      yes frame b office \(server) \(b) udp 10.77.0.99 10.77.0.2 7 7
      no frame a office \(server) \(a) udp 10.77.0.99 10.77.0.2 7 7
      no frame b office \(server) \(b) nd 134 fe80::5054:ff:fe00:b ff02::1
      """)
    try rig.run()
  }

  @Test("The rules of 200 filtered ports load within the time of one")
  func many() throws {
    var network = Self.network(.nat)
    network.ports = (0..<200).map { index in
      Port(
        id: "\(index)/lan",
        mac: "52:54:00:00:01:" + (index < 16 ? "0" : "") + String(index, radix: 16),
        address: "10.77.0.\(index + 10)", address6: "fd00:77::1:\(index)", hostName: "m\(index)",
        filter: Filter(ingress: [Rule(.tcp, ports: [80...80]), Rule(.icmp)], egress: [Rule(.any)]),
        outbound: 1 << 20)
    }
    let rules = try PacketRules(network, directory: NetworkDirectory("/n"), tracking: .internet)
    let scratch = try Scratch()
    let path = try scratch.write("rules", rules.text)
    let start = ContinuousClock.now
    try Tool.check("unshare", ["-rn", "nft", "-f", path])
    #expect(ContinuousClock.now - start < .seconds(5))
  }

  @Test("A bridge that follows connections itself is asked, and marks nothing")
  func bridgeTracking() throws {
    var network = Self.network()
    network.ports[0].filter = Filter(ingress: [])
    let directory = NetworkDirectory("/n")
    let own = try PacketRules(network, directory: directory, tracking: .bridge)
    let marked = try PacketRules(network, directory: directory, tracking: .internet)
    #expect(!own.text.contains("mark"))
    #expect(own.settings.contains { $0 == ("net/bridge/bridge-nf-call-iptables", "0") })
    #expect(marked.settings.contains { $0 == ("net/bridge/bridge-nf-call-iptables", "1") })
    // Of the kernel that has it the probe tells; the others must not load it.
    let scratch = try Scratch()
    let probe = try scratch.write("probe", PacketRules.bridgeTrackingProbe)
    let rules = try scratch.write("rules", own.text)
    let canProbe = try Tool.run("unshare", ["-rn", "nft", "--check", "-f", probe]).status == 0
    let canLoad = try Tool.run("unshare", ["-rn", "nft", "-f", rules]).status == 0
    #expect(canProbe == canLoad)
  }
}
