import Diagnostics
import EngineInterface
import JSON
import Planning
import Resources
import TestSupport
import Testing

@Suite("Plans of networks and security groups")
struct NetworkPlanTests {
  private static func network(_ spec: JSONValue = [:]) -> Resource {
    var all: JSONValue = ["mode": "nat", "subnet": "10.77.0.0/24"]
    for member in spec.object?.members ?? [] { all[member.name] = member.value }
    return .normalized(.network, "lab", all)
  }

  private static func guest(_ name: String, _ interface: JSONValue = [:]) -> Resource {
    var lan: JSONValue = ["name": "lan", "network": "lab"]
    for member in interface.object?.members ?? [] { lan[member.name] = member.value }
    return Make.machine(name, ["interfaces": [lan]])
  }

  private static func group(_ name: String, from peers: [JSONValue] = []) -> Resource {
    let rules: [JSONValue] = peers.isEmpty ? [] : [["from": .array(peers)]]
    return .normalized(.securityGroup, name, ["ingress": .array(rules)])
  }

  private static let guests = ["web1", "web2"].map { guest($0) }

  @Test(
    "a change of a network says who loses what until the next boot",
    arguments: [
      (
        network(["subnet": "10.78.0.0/24"]),
        "subnet next-boot (web1 and web2 lose their IPv4 addresses until started again)"
      ),
      (
        network(["ipv6": ["subnet": "fd00:77::/64"]]),
        "ipv6 next-boot (web1 and web2 lose their IPv6 addresses until started again)"
      ),
      (
        network(["mode": "isolated"]),
        "mode next-boot (web1 and web2 lose the network until started again)"
      ),
      (
        network(["mtu": 1400]),
        "mtu next-boot (web1 and web2 keep what they have until started again)"
      ),
      (network(["dhcp": ["range": ["10.77.0.9", "10.77.0.99"]]]), "dhcp live"),
      (network(["dns": ["domain": "lab.test", "forwarders": ["9.9.9.9"]]]), "dns live"),
      (network(["lifecycle": ["deletionProtection": true]]), "lifecycle.deletionProtection none"),
    ] as [(Resource, String)])
  func losses(after: Resource, words: String) {
    let stored = ([Make.image, Self.network()] + Self.guests).map { Make.stored($0) }
    let plan = Make.plan([Make.image, after] + Self.guests, over: stored)
    #expect(plan.actions.map(\.id.description) == ["Network/lab"])
    #expect(
      plan.actions.flatMap(\.changes).map { change in
        "\(change.path) \(change.effect.word)" + (change.note.map { " (\($0))" } ?? "")
      } == [words])
  }

  @Test("a network is not deleted while a guest is on it until its next boot")
  func leaving() {
    var other = Self.network(["subnet": "10.79.0.0/24"])
    other.id = ResourceID(.network, "other")
    let moved = Self.guest("web1", ["network": "other"])
    let stored = [Make.image, Self.network(), other].map { Make.stored($0) }
    func refused(_ guest: ObservedResource, allowRestart: Bool = false) -> [String] {
      Make.plan(
        [Make.image, other, moved], over: stored + [guest], allowRestart: allowRestart, prune: true
      ).refused.map { "\($0.verb) \($0.id): \($0.diagnostic.message)" }
    }
    let words = [
      "delete Network/lab: Network/lab has the guest of VirtualMachine/web1 on it until its next boot"
    ]
    // It is moved by this plan, or was by an earlier one.
    #expect(refused(Make.stored(Self.guest("web1"), .running)) == words)
    var waiting = Make.stored(moved, .running)
    waiting.machine?.networksLeft = ["lab"]
    #expect(refused(waiting) == words)
    #expect(refused(Make.stored(Self.guest("web1"), .halted)).isEmpty)
    #expect(refused(Make.stored(Self.guest("web1"), .running), allowRestart: true).isEmpty)
  }

  @Test("where no guest runs nothing is lost, and of many guests the first are named")
  func fewAndMany() {
    func notes(_ state: MachineStatus.State, _ count: Int, mode: JSONValue = "nat") -> [String?] {
      let guests = (1...count).map { Self.guest("g\($0)") }
      let stored = ([Make.image, Self.network(["mode": mode])] + guests).map {
        Make.stored($0, state)
      }
      let after = Self.network(["mode": mode, "subnet": "10.78.0.0/24"])
      return Make.plan([Make.image, after] + guests, over: stored).actions.flatMap(\.changes)
        .map(\.note)
    }
    #expect(notes(.halted, 2) == [nil])
    #expect(notes(.running, 1) == ["g1 loses its IPv4 address until started again"])
    #expect(
      notes(.running, 8)
        == ["g1, g2, g3, g4, g5 and 3 more lose their IPv4 addresses until started again"])
    #expect(
      notes(.running, 1, mode: "user") == ["g1 keeps what it has until started again"])
  }

  @Test("rules change live where a guest is under them, and so does being under them")
  func rules() {
    let web = Self.group("web")
    let machine = Self.guest("web1", ["securityGroups": ["web"]])
    let rest = [Make.image, Self.network()]
    let stored = (rest + [web, Self.group("idle"), machine]).map { Make.stored($0) }
    let open = ["web", "idle"].map { Self.group($0, from: ["10.0.0.0/8"]) }
    #expect(
      Make.plan(rest + open + [machine], over: stored).words
        == ["update SecurityGroup/idle none", "update SecurityGroup/web live"])
    let free = Self.guest("web1", ["bandwidth": ["inbound": 4096]])
    let plan = Make.plan(rest + [web, Self.group("idle"), free], over: stored)
    #expect(plan.words == ["update VirtualMachine/web1 live"])
    #expect(
      plan.actions.first?.changes.map(\.path) == [
        "interfaces[lan].securityGroups", "interfaces[lan].bandwidth",
      ])
  }

  @Test("groups may name themselves and each other, and stand before the machines under them")
  func rings() throws {
    let groups = [
      Self.group("web", from: ["group:web", "group:lb"]), Self.group("lb", from: ["group:web"]),
    ]
    let machine = Self.guest("web1", ["securityGroups": ["web"]])
    let all = [Make.image, Self.network()] + groups + [machine]
    let plan = Make.plan(all)
    try plan.validate()
    #expect(plan.refused.isEmpty)
    #expect(plan.actions.last?.id == machine.id)
    #expect(
      plan.actions.last?.dependencies.contains(ResourceID(.securityGroup, "web")) == true)
    let stored = all.map { Make.stored($0) }
    let destroy = Planner.planDestroy(.all(set: nil), observed: Make.observed(stored))
    try destroy.validate()
    #expect(destroy.refused.isEmpty && destroy.actions.count == all.count)
    // A group that another one names stays.
    let one = Planner.planDestroy(
      .resources([ResourceID(.securityGroup, "lb")]), observed: Make.observed(stored))
    #expect(one.refusals == ["delete SecurityGroup/lb in-use"])
  }

  @Test("a group that a rule names must be there")
  func missing() {
    let plan = Make.plan([Self.group("web", from: ["group:lb", "10.0.0.0/8"])])
    #expect(plan.refusals == ["create SecurityGroup/web missing-reference"])
    #expect(plan.refused.first?.diagnostic.path == "spec.ingress[0].from[0]")
  }

  @Test(
    "what the network that is there can't give is refused",
    arguments: [
      ("user", ["securityGroups": ["web"]], "securityGroups"),
      ("user", ["bandwidth": ["inbound": 4096]], "bandwidth"),
      ("bridge", ["ports": [["guest": 80]]], "ports"), ("nat", ["address": "10.78.0.5"], "address"),
      ("nat", ["address": "10.77.0.1"], "address"),
      ("nat", ["address": "10.77.0.5", "ports": [["guest": 80]]], nil),
    ] as [(JSONValue, JSONValue, String?)])
  func misfits(mode: JSONValue, interface: JSONValue, field: String?) {
    let network =
      mode == "bridge"
      ? Resource.normalized(.network, "lab", ["mode": "bridge", "bridge": "br0"])
      : Self.network(["mode": mode])
    let stored = [Make.image, network, Self.group("web")].map { Make.stored($0) }
    let plan = Make.plan([Self.guest("web1", interface)], over: stored)
    #expect(
      plan.refused.map(\.diagnostic.path) == field.map { ["spec.interfaces[lan].\($0)"] } ?? [])
  }

  @Test(
    "a network that takes from a machine what it has is refused, unless the machine changes too")
  func taking() {
    let machine = Self.guest("web1", ["address": "10.77.0.5"])
    let stored = [Make.image, Self.network(), machine].map { Make.stored($0) }
    let moved = Self.network(["subnet": "10.78.0.0/24"])
    let plan = Make.plan([moved, machine], over: stored)
    #expect(plan.refusals == ["update Network/lab invalid-value"])
    #expect(plan.refused.first?.diagnostic.path == "spec.subnet")
    #expect(plan.refused.first?.diagnostic.message.contains("VirtualMachine/web1") == true)
    let both = Make.plan([moved, Self.guest("web1", ["address": "10.78.0.5"])], over: stored)
    #expect(both.refused.isEmpty && both.actions.count == 2)
  }

  @Test("IPv6 addresses are had by one alone")
  func addresses() {
    let stored = [Make.image, Self.network(), Self.guest("a", ["address6": "fd00::5"])].map {
      Make.stored($0)
    }
    let plan = Make.plan([Self.guest("b", ["address6": "fd00::5"])], over: stored)
    #expect(plan.refusals == ["create VirtualMachine/b duplicate-address"])
  }

  @Test("a port that a network listens on for a halted machine is nobody else's")
  func halted() {
    let machine = Self.guest("a", ["ports": [["guest": 80, "host": 8080]]])
    func plan(_ network: Resource) -> Plan {
      let stored = [Make.image, network, machine].map { Make.stored($0, .halted) }
      return Make.plan(
        [machine.with("cpu.count", 2).with("runStrategy", "Halted")], over: stored,
        host: HostCapacity(
          cpuMillicores: 64_000, memory: 1 << 40, portsInUse: ["tcp:127.0.0.1:8080"]))
    }
    #expect(plan(Self.network()).refusals == [])
    #expect(
      plan(Self.network(["mode": "user"])).refusals == ["update VirtualMachine/a duplicate-port"])
  }
}
