import Networking
import SystemIO
import Testing

@testable import NetworkService

@Suite("The interfaces of a network")
struct LinkTests {
  private static let network = NetworkConfiguration.full
  private static let plan = LinkPlan(network)

  /// The state in which nothing is to be done, as ip(8) prints it.
  private static func built(_ change: (inout String) -> Void = { _ in }) throws -> LinkState {
    let taps = network.ports.map { port in
      """
      {"ifname": "\(port.tap)", "flags": ["BROADCAST"\(port.isConnected ? ", \"UP\"" : "")],
       "mtu": 9000, "master": "br0", "address": "aa:bb:cc:00:00:01", "addr_info": [],
       "stats64": {"rx": {"bytes": 100, "packets": 2}, "tx": {"bytes": 300, "packets": 4}}}
      """
    }
    var text = """
      [{}, {"ifname": "lo", "flags": ["LOOPBACK", "UP"], "mtu": 65536, "addr_info": [
          {"family": "inet", "local": "127.0.0.1", "prefixlen": 8, "scope": "host"}]},
       {"ifname": "br0", "flags": ["UP"], "mtu": 9000, "address": "\(network.bridgeMAC)",
        "addr_info": [
          {"family": "inet", "local": "10.77.0.1", "prefixlen": 24, "scope": "global"},
          {"family": "inet6", "local": "fd00:77::1", "prefixlen": 64, "scope": "global"},
          {"family": "inet6", "local": "fe80::1", "prefixlen": 64, "scope": "link"}]},
       \(taps.joined(separator: ",\n "))]
      """
    change(&text)
    return try LinkState(parsing: Array(text.utf8))
  }

  private static func commands(
    _ state: LinkState, _ plan: LinkPlan = plan, dropped: [String] = []
  ) throws -> [String] {
    try plan.bridgeCommands(state) + plan.addressCommands(state)
      + plan.tapCommands(state, dropped: dropped)
  }

  @Test("What is right is left alone")
  func nothing() throws {
    let state = try Self.built()
    #expect(try Self.commands(state) == [])
    let link = try #require(state[Self.network.ports[0].tap])
    #expect(link.received == (100, 2) && link.sent == (300, 4))
  }

  @Test("An empty namespace gets all of it")
  func everything() throws {
    let state = try LinkState(parsing: Array(#"[{"ifname":"lo","flags":[],"mtu":65536}]"#.utf8))
    #expect(
      try Self.commands(state) == [
        "link set dev lo up",
        "link add name br0 address \(Self.network.bridgeMAC) type bridge stp_state 0 forward_delay 0 "
          + "mcast_snooping 0",
        "link set dev br0 mtu 9000", "link set dev br0 up", "addr add 10.77.0.1/24 dev br0",
        "addr add fd00:77::1/64 dev br0 nodad",
      ])
    let tap = Self.network.ports[0].tap
    #expect(
      Self.plan.commands(for: Self.network.ports[0]) == [
        "link set dev \(tap) addrgenmode none", "link set dev \(tap) master br0",
        "link set dev \(tap) mtu 9000", "link set dev \(tap) up",
      ])
  }

  @Test("Other addresses go, and taps of ports that are no more")
  func superfluous() throws {
    var network = Self.network
    network.segment = NetworkConfiguration.Segment(network: "10.78.0.0/16", gateway: "10.78.0.1")
    network.ports = []
    let taps = Self.network.ports.map(\.tap)
    #expect(
      try Self.commands(Self.built(), LinkPlan(network)) == [
        "link set dev br0 address \(network.bridgeMAC)", "addr del 10.77.0.1/24 dev br0",
        "addr add 10.78.0.1/16 dev br0", "link del dev \(taps[0])", "link del dev \(taps[1])",
      ])
  }

  @Test("A cable that was put in or taken out is")
  func cables() throws {
    var network = Self.network
    network.ports[0].isConnected = false
    network.ports[1].isConnected = true
    #expect(
      try Self.commands(Self.built(), LinkPlan(network)) == [
        "link set dev \(network.ports[0].tap) down", "link set dev \(network.ports[1].tap) up",
      ])
  }

  @Test("On a bridge of the host only taps known to be the network's are touched")
  func hostBridge() throws {
    let taps = Self.network.ports.map(\.tap)
    let plan = LinkPlan(NetworkConfiguration(name: "lan", mode: .bridge, bridge: "br0"))
    #expect(try Self.commands(Self.built(), plan) == [])
    #expect(
      try Self.commands(Self.built(), plan, dropped: [taps[1]]) == ["link del dev \(taps[1])"])
    #expect(plan.settings.isEmpty)
    let none = LinkPlan(NetworkConfiguration(name: "lan", mode: .bridge, bridge: "br1"))
    #expect(throws: NetworkError.self) { try none.bridgeCommands(Self.built()) }
  }

  @Test("What ip(8) would never print is an error")
  func nonsense() throws {
    for text in ["", "{}", #"[{"ifname": 1}]"#, #"[{"ifname": "lo", "flags": "UP", "mtu": 1}]"#] {
      #expect(throws: NetworkError.self) { try LinkState(parsing: Array(text.utf8)) }
    }
  }
}
