import EmbeddedEngine
import EngineInterface
import Glibc
import JSON
import Monitor
import Networking
import Planning
import QEMU
import Resources
import SystemIO
import Testing

/// Networks that are processes of their own.
@Suite("Networks of modes nat and isolated", .enabled(if: CanMakeNetworks.now))
struct NetworkTests {
  private func configuration(
    _ engine: EmbeddedEngine, _ fixture: EngineFixture, _ name: String
  ) async throws -> NetworkConfiguration {
    let uid = try #require(try await engine.resource(.network, name)?.uid)
    return try NetworkConfiguration.read(NetworkDirectory("\(fixture.home)/networks/\(uid)"))
  }

  private func plan(_ engine: EmbeddedEngine, _ resources: Resource...) async throws -> Plan {
    let declared = resources.map { resource in
      var resource = resource
      resource.set = PlanOptions.defaultSet
      return resource
    }
    return Planner.plan(
      desired: DesiredState(resources: declared, inputs: [:]), observed: try await engine.observe())
  }

  private static func lab(_ fields: JSONValue = [:]) -> Resource {
    var lab = network("lab", mode: "nat")
    for member in fields.object?.members ?? [] { lab.spec[member.name] = member.value }
    lab.set = PlanOptions.defaultSet
    return lab
  }

  private static func guest(
    _ name: String, _ fields: JSONValue = [:], on network: String = "lab",
    strategy: String = "Manual"
  ) -> Resource {
    var card = interface("lan", network: network)
    for member in fields.object?.members ?? [] { card[member.name] = member.value }
    var guest = machine(name, disks: [], interfaces: [card], strategy: strategy)
    guest.set = PlanOptions.defaultSet
    return guest
  }

  @Test("One is made, stays as it is, is changed and goes without a trace")
  func life() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    try await engine.perform(.create(Self.lab()))
    #expect(try await plan(engine, Self.lab()).isEmpty)
    #expect(try await engine.audit() == [])
    let made = try #require(try await engine.resource(.network, "lab"))
    #expect(made.details["state"] == "up")
    #expect(made.details["subnet"] == "10.64.0.0/24")
    #expect(made.details["gateway"] == "10.64.0.1")
    let configuration = try await configuration(engine, fixture, "lab")
    #expect(configuration.segment == .init(network: "10.64.0.0/24", gateway: "10.64.0.1"))
    #expect(configuration.segment6?.network.hasPrefix("fd") == true)
    #expect(configuration.ports == [])
    // As root it goes through the host itself.
    #expect((configuration.uplink == .userMode) == (geteuid() != 0))

    let changed = Self.lab(["dns": ["domain": "lab.test"]])
    try await engine.perform(.update(changed, restart: false))
    #expect(try await plan(engine, changed).isEmpty)
    #expect(try await self.configuration(engine, fixture, "lab").domain == "lab.test")
    #expect(try await self.configuration(engine, fixture, "lab").segment6 == configuration.segment6)

    // Its supervisor's end is seen and mended.
    let processes = made.details["processes"]?.array ?? []
    #expect(!processes.isEmpty)
    try fixture.killSupervisors()
    #expect(try await engine.resource(.network, "lab")?.drift.map(\.path) == ["supervisor"])
    #expect(try await !plan(engine, changed).isEmpty)
    try await engine.perform(.update(changed, restart: false))
    #expect(try await plan(engine, changed).isEmpty)

    try await engine.perform(.delete(changed.id))
    #expect(try namesInDirectory(fixture.home + "/networks") == [])
    #expect(try await engine.audit() == [])
  }

  @Test("Machines have addresses of their own, which they keep, and the network knows them")
  func addresses() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    try await engine.perform(.create(Self.lab(["subnet": "10.77.0.0/24"])))
    try await engine.perform(.create(Self.guest("one")))
    try await engine.perform(
      .create(Self.guest("two", ["address": "10.77.0.9", "ports": [port(22, host: nil)]])))
    let ports = try await configuration(engine, fixture, "lab").ports
    #expect(ports.map(\.hostName) == ["one", "two"])
    #expect(ports.map(\.address) == ["10.77.0.128", "10.77.0.9"])
    #expect(ports.map(\.forwards.count) == [0, 1])
    #expect(Set(ports.compactMap(\.address6)).count == 2)
    let one = try #require(try await engine.resource(.virtualMachine, "one"))
    #expect(one.details["interfaces"]?.array?.first?["address"] == "10.77.0.128")
    let next = try MonitorConfiguration.read(
      MachineDirectory(try await engine.machineDirectory("one")))
    let lab = try #require(try await engine.resource(.network, "lab"))
    #expect(
      next.machine.interfaces.first?.backend
        == .tap(
          network: "\(fixture.home)/networks/\(lab.uid)", port: "\(one.uid)/lan", mtu: 1500))

    // What it has it keeps, through a change and a replacement.
    try await engine.perform(.update(Self.guest("one", ["link": "down"]), restart: false))
    try await engine.perform(.replace(Self.guest("one", ["link": "down"])))
    let kept = try await configuration(engine, fixture, "lab").ports
    #expect(kept.first?.address == "10.77.0.128")
    #expect(kept.first?.mac == ports.first?.mac)
    #expect(kept.first?.isConnected == false)

    try await engine.perform(.delete(ResourceID(.virtualMachine, "one")))
    #expect(try await configuration(engine, fixture, "lab").ports.map(\.hostName) == ["two"])
    #expect(try await engine.audit() == [])
  }

  @Test(
    "An address that can't be had is refused with the reason",
    arguments: [
      ("10.77.0.9", "the address 10.77.0.9 is in use by VirtualMachine/one"),
      ("10.78.0.9", "is outside 10.77.0.0/24"), ("10.77.0.1", "is the network's own"),
      ("10.77.0.255", "is no host's address"),
    ])
  func refused(_ address: String, _ reason: String) async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    try await engine.perform(.create(Self.lab(["subnet": "10.77.0.0/24"])))
    try await engine.perform(.create(Self.guest("one", ["address": "10.77.0.9"])))
    let error = await #expect(throws: EngineError.self) {
      try await engine.perform(.create(Self.guest("two", ["address": .string(address)])))
    }
    #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
    #expect(try await engine.resource(.virtualMachine, "two") == nil)
    #expect(try await engine.audit() == [])
  }

  @Test("No two networks, and none of the host's, have addresses in common")
  func subnets() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let host = try [
      UsedNetwork(#require(IPv4Network("10.64.0.0/23")), "a route of the host"),
      UsedNetwork(#require(IPv4Network("192.0.2.0/24")), "a route of the host"),
    ]
    let engine = try fixture.open(hostNetworks: host)
    try await engine.perform(.create(Self.lab()))
    #expect(try await engine.resource(.network, "lab")?.details["subnet"] == "10.64.2.0/24")
    for (subnet, user) in [
      ("10.64.0.0/16", "the subnet of Network/lab"), ("192.0.2.128/25", "a route of the host"),
      ("10.0.0.0/14", "the way out of networks of mode nat"),
    ] {
      var other = network("other", mode: "isolated")
      other.spec["subnet"] = .string(subnet)
      let error = await #expect(throws: EngineError.self) {
        try await engine.perform(.create(other))
      }
      #expect(error?.code == "in-use")
      #expect(error?.message.contains(user) == true, "\(error?.message ?? "")")
    }
    try await engine.perform(.create(network("other", mode: "isolated")))
    #expect(try await engine.resource(.network, "other")?.details["subnet"] == "10.64.3.0/24")
  }

  @Test("A range that is used up is told; a larger one helps")
  func range() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    func lab(_ last: String) -> Resource {
      Self.lab(["subnet": "10.77.0.0/24", "dhcp": ["range": ["10.77.0.50", .string(last)]]])
    }
    try await engine.perform(.create(lab("10.77.0.50")))
    try await engine.perform(.create(Self.guest("one")))
    let error = await #expect(throws: EngineError.self) {
      try await engine.perform(.create(Self.guest("two")))
    }
    #expect(error?.message.contains("10.77.0.50 to 10.77.0.50 on Network/lab") == true)
    try await engine.perform(.update(lab("10.77.0.60"), restart: false))
    try await engine.perform(.create(Self.guest("two")))
    #expect(
      try await configuration(engine, fixture, "lab").ports.map(\.address)
        == ["10.77.0.50", "10.77.0.51"])
  }

  @Test("Another subnet gives all machines on it other addresses")
  func otherSubnet() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    try await engine.perform(.create(Self.lab(["subnet": "10.77.0.0/24"])))
    try await engine.perform(.create(Self.guest("one", ["address": "10.77.0.9"])))
    let moved = Self.lab(["subnet": "10.78.0.0/24"])
    try await engine.perform(.update(moved, restart: false))
    #expect(
      try await configuration(engine, fixture, "lab").ports.map(\.address) == ["10.78.0.128"])
    try await engine.perform(
      .update(Self.guest("one", ["address": "10.78.0.9"]), restart: false))
    #expect(
      try await configuration(engine, fixture, "lab").ports.map(\.address) == ["10.78.0.9"])
    #expect(try await engine.audit() == [])

    // QEMU itself is the network from now on.
    var user = network("lab")
    user.set = PlanOptions.defaultSet
    try await engine.perform(.update(Self.guest("one"), restart: false))
    try await engine.perform(.update(user, restart: false))
    #expect(try namesInDirectory(fixture.home + "/networks") == [])
    #expect(try await engine.audit() == [])
  }

  @Test("Rules and limits reach the network, and follow the groups' members")
  func rules() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    func group(_ name: String, _ ingress: JSONValue) -> Resource {
      Resource(
        ResourceID(.securityGroup, name),
        spec: [
          "ingress": ingress, "egress": [],
          "default": ["ingress": "Deny", "egress": "Allow"],
          "lifecycle": ["deletionProtection": false],
        ])
    }
    try await engine.perform(.create(Self.lab(["subnet": "10.77.0.0/24"])))
    try await engine.perform(.create(group("web", [["protocol": "tcp", "ports": ["80"]]])))
    try await engine.perform(
      .create(group("db", [["protocol": "tcp", "ports": ["5432"], "from": ["group:web"]]])))
    try await engine.perform(
      .create(
        Self.guest(
          "db",
          [
            "address": "10.77.0.5", "securityGroups": ["db"], "bandwidth": ["inbound": 1_000_000],
          ])))
    func db() async throws -> NetworkConfiguration.Port? {
      try await configuration(engine, fixture, "lab").ports.first { $0.hostName == "db" }
    }
    // Nobody is in the group yet, so nobody is allowed.
    #expect(try await db()?.filter == .init(ingress: [], egress: nil))
    #expect(try await db()?.inbound == 1_000_000)
    try await engine.perform(
      .create(Self.guest("web", ["address": "10.77.0.6", "securityGroups": ["web"]])))
    let rule = try #require(try await db()?.filter?.ingress?.first)
    #expect(rule.protocol == .tcp && rule.ports == [5432...5432])
    #expect(rule.peers.first == "10.77.0.6/32")
    #expect(rule.peers.count == 2)
    try await engine.perform(
      .update(
        group("db", [["protocol": "tcp", "ports": ["5433"], "from": ["10.0.0.0/8"]]]),
        restart: false))
    #expect(
      try await db()?.filter?.ingress == [.init(.tcp, ports: [5433...5433], peers: ["10.0.0.0/8"])])
  }

  @Test("A running guest's network knows what the guest has, and what it gets with its next start")
  func running() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    try await engine.perform(.create(Self.lab(["subnet": "10.77.0.0/24"])))
    try await engine.perform(
      .create(Self.guest("one", ["address": "10.77.0.5"], strategy: "Always")))
    let look = try #require(try await engine.resource(.virtualMachine, "one"))
    #expect(look.machine?.state == .running, "\(look.machine?.reason ?? "")")
    #expect(look.machine?.addresses.first == "10.77.0.5")
    let members = try await engine.resource(.network, "lab")?.details["members"]?.array
    #expect(members?.first?["isPlugged"] == true)

    let outcome = try await engine.perform(
      .update(Self.guest("one", ["address": "10.77.0.6"], strategy: "Always"), restart: false))
    #expect(outcome.staged == ["interfaces[lan].address"])
    #expect(try await configuration(engine, fixture, "lab").ports.first?.address == "10.77.0.5")
    try await engine.control("one", .stop(grace: 0))
    try await engine.control("one", .start)
    #expect(try await configuration(engine, fixture, "lab").ports.first?.address == "10.77.0.6")
    #expect(
      try await plan(
        engine, Self.lab(["subnet": "10.77.0.0/24"]),
        Self.guest("one", ["address": "10.77.0.6"], strategy: "Always")
      ).isEmpty)
    #expect(try await engine.audit() == [])
  }

  @Test("A guest that its monitor started again keeps nothing of what it had before")
  func startedAgain() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    try await engine.perform(.create(Self.lab()))
    var other = Self.lab()
    other.id = ResourceID(.network, "other")
    try await engine.perform(.create(other))
    try await engine.perform(.create(Self.guest("one", strategy: "Always")))
    let moved = Self.guest("one", on: "other", strategy: "Always")
    let outcome = try await engine.perform(.update(moved, restart: false))
    #expect(outcome.staged == ["interfaces[lan].network"])
    // Until then it is where it was.
    let uid = try #require(try await engine.resource(.virtualMachine, "one")?.uid)
    let port = try await configuration(engine, fixture, "lab").ports.first
    #expect(port?.id == "\(uid)/lan" && port?.address?.hasPrefix("10.") == true)
    #expect(
      try await engine.resource(.virtualMachine, "one")?.machine?.addresses.first == port?.address)
    await #expect(throws: EngineError.self) { try await engine.perform(.delete(Self.lab().id)) }

    let before = try #require(try await engine.resource(.virtualMachine, "one")?.machine?.processID)
    kill(before, SIGKILL)
    for _ in 0..<600 {
      let process = try await engine.resource(.virtualMachine, "one")?.machine?.processID
      if let process, process != before { break }
      try await Task.sleep(for: .milliseconds(20))
    }
    #expect(try await configuration(engine, fixture, "lab").ports.count == 0)
    #expect(try await configuration(engine, fixture, "other").ports.count == 1)
    #expect(try await engine.audit() == [])

    // Back, at once.
    let restarted = try await engine.perform(
      .update(Self.guest("one", strategy: "Always"), restart: true))
    #expect(restarted.effect == .restart)
    #expect(try await configuration(engine, fixture, "lab").ports.count == 1)
    #expect(try await configuration(engine, fixture, "other").ports.count == 0)
    #expect(try await engine.audit() == [])

    // By hand, with a port of the host that goes with it.
    let forward: JSONValue = ["guest": 80, "address": "127.0.0.1", "protocol": "tcp"]
    let served = Self.guest("one", ["ports": [forward]], on: "other", strategy: "Always")
    try await engine.perform(.update(served, restart: false))
    #expect(try await configuration(engine, fixture, "lab").ports.first?.forwards.count == 1)
    #expect(try await configuration(engine, fixture, "other").ports.first?.forwards.count == 0)
    try await engine.control("one", .stop(grace: 0))
    #expect(try await configuration(engine, fixture, "lab").ports.count == 0)
    #expect(try await configuration(engine, fixture, "other").ports.first?.forwards.count == 1)
  }
}

/// Whether this process may make networks, for which it needs namespaces and taps.
enum CanMakeNetworks {
  static let now: Bool = {
    let request = SpawnRequest(
      "/usr/bin/unshare", ["--net", "/usr/bin/test", "-w", "/dev/net/tun"])
    // Whatever keeps it from being found out keeps networks from being made.
    return (try? request.run(milliseconds: 10_000, host: .live()))?.end == .exited(0)
  }()
}
