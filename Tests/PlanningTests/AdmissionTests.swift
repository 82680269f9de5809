import Diagnostics
import EngineInterface
import JSON
import Planning
import Resources
import TestSupport
import Testing

@Suite("What doesn't fit is refused before anything is done")
struct AdmissionTests {
  /// A whole desired state over an empty engine with 8 GiB and 4 processors, and its refusals.
  struct Case: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var resources: [Resource]
    var refusals: [String]
    var message: String = ""
    var path: String = ""
  }

  static let host = HostCapacity(
    cpuMillicores: 4000, memory: 8 * Make.gibi, maximumCPUsPerMachine: 8)

  static func reserving(
    _ name: String, memory: Int64 = 0, cpu: Int64 = 0, pool: String
  ) -> Resource {
    Make.machine(
      name,
      [
        "memory": ["guest": .integer(Make.gibi), "reservation": .integer(memory)],
        "cpu": ["reservation": .integer(cpu)], "resourcePool": .string(pool),
      ])
  }

  static let poolCases: [Case] = [
    Case(
      testDescription: "memory within the limit",
      resources: [
        Make.pool("dev", memory: ["limit": .integer(2 * Make.gibi)]),
        Make.machine("a", memory: Make.gibi, pool: "dev"),
        Make.machine("b", memory: Make.gibi, pool: "dev"),
      ], refusals: []),
    Case(
      testDescription: "memory above the limit: the later gives way",
      resources: [
        Make.pool("dev", memory: ["limit": .integer(2 * Make.gibi)]),
        Make.machine("c", memory: Make.mebi, pool: "dev"),
        Make.machine("b", memory: Make.gibi + Make.mebi, pool: "dev"),
        Make.machine("a", memory: Make.gibi, pool: "dev"),
      ], refusals: ["create VirtualMachine/b pool-limit"],
      message: "needs 1025Mi of memory, and pool dev has 1Gi left of 2Gi", path: "spec.memory.guest"
    ),
    Case(
      testDescription: "the limit of a pool above counts",
      resources: [
        Make.pool("top", memory: ["limit": .integer(Make.gibi)]), Make.pool("low", parent: "top"),
        Make.machine("a", memory: 2 * Make.gibi, pool: "low"),
      ], refusals: ["create VirtualMachine/a pool-limit"],
      message: "needs 2Gi of memory, and pool top has 1Gi left of 1Gi"),
    Case(
      testDescription: "halted machines use nothing",
      resources: [
        Make.pool("dev", memory: ["limit": .integer(Make.gibi)]),
        Make.machine("a", memory: 2 * Make.gibi, pool: "dev").with("runStrategy", "Halted"),
      ], refusals: []),
    Case(
      testDescription: "a child's limit above its parent's",
      resources: [
        Make.pool("top", memory: ["limit": .integer(Make.gibi)]),
        Make.pool("low", parent: "top", memory: ["limit": .integer(2 * Make.gibi)]),
      ], refusals: ["create ResourcePool/low pool-limit"],
      message: "the memory limit of pool top/low, 2Gi, is above the 1Gi of pool top"),
    Case(
      testDescription: "reservations within the pool's",
      resources: [
        Make.pool("dev", memory: ["reservation": .integer(2 * Make.gibi), "expandable": false]),
        reserving("a", memory: Make.gibi, pool: "dev"),
        reserving("b", memory: Make.gibi, pool: "dev"),
      ], refusals: []),
    Case(
      testDescription: "reservations above a fixed pool's",
      resources: [
        Make.pool("dev", memory: ["reservation": .integer(Make.gibi), "expandable": false]),
        reserving("a", memory: Make.gibi, pool: "dev"), reserving("b", memory: 1, pool: "dev"),
      ], refusals: ["create VirtualMachine/b pool-reservation"],
      message: "reserves 1 of memory, and pool dev has 0 left of 1Gi",
      path: "spec.memory.reservation"),
    Case(
      testDescription: "an expandable pool borrows up to the host",
      resources: [
        Make.pool("top"), Make.pool("low", parent: "top", cpu: ["reservation": 500]),
        reserving("a", cpu: 4000, pool: "low"),
      ], refusals: []),
    Case(
      testDescription: "and not beyond the host",
      resources: [
        Make.pool("top", cpu: ["reservation": 1000]), reserving("a", cpu: 2000, pool: "default"),
        reserving("b", cpu: 2000, pool: "default"),
      ], refusals: ["create VirtualMachine/b pool-reservation"],
      message: "reserves 2 of CPU, and the host has 1 left of 4"),
    Case(
      testDescription: "an expandable pool borrows only up to its limit",
      resources: [
        Make.pool("dev", cpu: ["limit": 1000]), reserving("a", cpu: 1500, pool: "dev"),
      ], refusals: ["create VirtualMachine/a pool-reservation"],
      message: "reserves 1500m of CPU, and pool dev has 1 left of 1"),
    Case(
      testDescription: "borrowing ends at a pool above that isn't expandable",
      resources: [
        Make.pool("top", memory: ["reservation": .integer(Make.gibi), "expandable": false]),
        Make.pool("low", parent: "top"), reserving("a", memory: 2 * Make.gibi, pool: "low"),
      ], refusals: ["create VirtualMachine/a pool-reservation"],
      message: "reserves 2Gi of memory, and pool top has 1Gi left of 1Gi"),
    Case(
      testDescription: "pools that reserve more than the host has",
      resources: [
        Make.pool("a", cpu: ["reservation": 3000]), Make.pool("b", cpu: ["reservation": 2000]),
      ], refusals: ["create ResourcePool/b pool-reservation"],
      message: "5 of CPU are reserved in the host, which has 4"),
    Case(
      testDescription: "a reservation above the pool's own limit",
      resources: [Make.pool("a", cpu: ["reservation": 3000, "limit": 2000])],
      refusals: ["create ResourcePool/a pool-limit"],
      message: "the CPU limit of pool a, 2, is below the 3 that it guarantees"),
    Case(
      testDescription: "pools that are each other's parents",
      resources: [Make.pool("a", parent: "b"), Make.pool("b", parent: "a")],
      refusals: ["create ResourcePool/a pool-cycle", "create ResourcePool/b needs-refused"]),
  ]

  static func interface(_ spec: JSONValue) -> JSONValue {
    var spec = spec
    spec["name"] = "lan"
    return ["interfaces": [spec]]
  }

  static func port(_ name: String, _ port: JSONValue) -> Resource {
    Make.machine(name, interface(["ports": [port]]))
  }

  static let nat = Resource.normalized(.network, "lab", ["mode": "nat"])

  static let machineCases: [Case] = [
    Case(
      testDescription: "memory of the host",
      resources: [
        Make.machine("a", memory: 6 * Make.gibi), Make.machine("b", memory: 3 * Make.gibi),
        Make.machine("c", memory: 2 * Make.gibi),
      ], refusals: ["create VirtualMachine/b host-memory"],
      message: "needs 3Gi of memory, and the host has 2Gi left of 8Gi"),
    Case(
      testDescription: "processors of one machine",
      resources: [
        Make.machine("a", ["cpu": ["count": 8]]),
        Make.machine("b", ["cpu": ["count": 2, "max": 9]]),
      ],
      refusals: ["create VirtualMachine/b host-cpus"],
      message: "has 9 processors, and a machine can have 8 here", path: "spec.cpu.max"),
    Case(
      testDescription: "one MAC twice",
      resources: [
        Make.machine("a", interface(["mac": "52:54:00:00:00:01"])),
        Make.machine("b", interface(["mac": "52:54:00:00:00:01"])),
      ], refusals: ["create VirtualMachine/b duplicate-mac"],
      message: "MAC address 52:54:00:00:00:01 is in use by VirtualMachine/a",
      path: "spec.interfaces[lan].mac"),
    Case(
      testDescription: "one port twice",
      resources: [
        port("a", ["guest": 80, "host": 8080]), port("b", ["guest": 81, "host": 8080]),
        port("c", ["guest": 80, "host": 8080, "protocol": "udp"]),
        port("d", ["guest": 80, "host": 8080, "address": "127.0.0.2"]),
      ], refusals: ["create VirtualMachine/b duplicate-port"],
      message: "tcp port 127.0.0.1:8080 of the host is in use by VirtualMachine/a",
      path: "spec.interfaces[lan].ports[81/tcp].host"),
    Case(
      testDescription: "a port on all addresses",
      resources: [
        port("a", ["guest": 80, "host": 8080, "address": "0.0.0.0"]),
        port("b", ["guest": 80, "host": 8080]),
      ], refusals: ["create VirtualMachine/b duplicate-port"]),
    Case(
      testDescription: "ports the engine chooses don't meet",
      resources: [port("a", ["guest": 80]), port("b", ["guest": 80])], refusals: []),
    Case(
      testDescription: "a port that another program has",
      resources: [port("a", ["guest": 22, "host": 2222])],
      refusals: ["create VirtualMachine/a duplicate-port"],
      message: "tcp port 127.0.0.1:2222 of the host is in use by another program on the host"),
    Case(
      testDescription: "one address twice in a network",
      resources: [
        nat, Make.machine("a", interface(["network": "lab", "address": "10.0.0.9"])),
        Make.machine("b", interface(["network": "lab", "address": "10.0.0.9"])),
      ], refusals: ["create VirtualMachine/b duplicate-address"],
      message: "address 10.0.0.9 in Network/lab is in use by VirtualMachine/a"),
    Case(
      testDescription: "one address twice where each machine has a network of its own",
      resources: [
        Make.machine("a", interface(["address": "10.0.2.15"])),
        Make.machine("b", interface(["address": "10.0.2.15"])),
      ], refusals: []),
    Case(
      testDescription: "one volume in two running machines",
      resources: [
        Resource.normalized(.volume, "v", ["size": .integer(Make.gibi)]),
        Make.machine("a", ["disks": [["name": "d", "volume": "v"]]]),
        Make.machine("b", ["disks": [["name": "d", "volume": "v"]], "runStrategy": "Halted"]),
        Make.machine("c", ["disks": [["name": "d", "volume": "v"]]]),
      ], refusals: ["create VirtualMachine/c duplicate-volume"]),
  ]

  @Test("new resources", arguments: poolCases + machineCases)
  func creates(_ item: Case) throws {
    var host = Self.host
    host.portsInUse = ["tcp:127.0.0.1:2222", "nonsense", "udp:[::]:53"]
    let plan = Make.plan(item.resources + [Make.image], host: host)
    try plan.validate()
    #expect(plan.refusals == item.refusals)
    let problem = plan.refused.first { $0.diagnostic.code != "needs-refused" }?.diagnostic
    if !item.message.isEmpty { #expect(problem?.message == item.message) }
    if !item.path.isEmpty { #expect(problem?.path == item.path) }
    let made = Set(plan.actions.map(\.id)).union(plan.refused.map(\.id))
    #expect(made == Set((item.resources + [Make.image]).map(\.id)))
    #expect(Make.plan(item.resources.reversed() + [Make.image], host: host) == plan)
  }

  /// What stands in the engine, what is declared over it, and what is refused.
  struct Change: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var stored: [Resource]
    var desired: [Resource]
    var refusals: [String]
  }

  static let limited = Make.pool("dev", memory: ["limit": .integer(2 * Make.gibi)])

  static let changes: [Change] = [
    Change(
      testDescription: "machines that no manifest names count",
      stored: [limited, Make.machine("a", memory: 2 * Make.gibi, pool: "dev")],
      desired: [Make.machine("b", memory: Make.gibi, pool: "dev")],
      refusals: ["create VirtualMachine/b pool-limit"]),
    Change(
      testDescription: "one shrinks so that the other can grow",
      stored: [
        limited, Make.machine("a", memory: Make.gibi, pool: "dev"),
        Make.machine("b", memory: Make.gibi, pool: "dev"),
      ],
      desired: [
        Make.machine("a", memory: Make.gibi + 512 * Make.mebi, pool: "dev"),
        Make.machine("b", memory: 512 * Make.mebi, pool: "dev"),
      ], refusals: []),
    Change(
      testDescription: "a limit below what runs in the pool",
      stored: [limited, Make.machine("a", memory: 2 * Make.gibi, pool: "dev")],
      desired: [Make.pool("dev", memory: ["limit": .integer(Make.gibi)])],
      refusals: ["update ResourcePool/dev pool-limit"]),
    Change(
      testDescription: "a limit that goes down together with what runs in the pool",
      stored: [limited, Make.machine("a", memory: 2 * Make.gibi, pool: "dev")],
      desired: [
        Make.pool("dev", memory: ["limit": .integer(Make.gibi)]),
        Make.machine("a", memory: Make.gibi, pool: "dev"),
      ], refusals: []),
    Change(
      testDescription: "what is too much already may be relabelled and shrunk, not grown",
      stored: [
        Make.machine("a", memory: 7 * Make.gibi), Make.machine("b", memory: 7 * Make.gibi),
        Make.machine("c", memory: Make.gibi),
      ],
      desired: [
        Make.machine("a", memory: 6 * Make.gibi),
        Make.machine("b", memory: 7 * Make.gibi).with("terminationGracePeriod", 5),
        Make.machine("c", memory: 2 * Make.gibi),
      ], refusals: ["update VirtualMachine/c host-memory"]),
    Change(
      testDescription: "its own port is not in use by another program",
      stored: [port("a", ["guest": 22, "host": 2222])],
      desired: [port("a", ["guest": 23, "host": 2222])], refusals: []),
    Change(
      testDescription: "a stored machine's MAC",
      stored: [Make.machine("z", interface(["mac": "52:54:00:00:00:01"]))],
      desired: [Make.machine("b", interface(["mac": "52:54:00:00:00:01"]))],
      refusals: ["create VirtualMachine/b duplicate-mac"]),
  ]

  @Test("changes over what is there", arguments: changes)
  func change(_ item: Change) throws {
    var host = Self.host
    host.portsInUse = ["tcp:127.0.0.1:2222"]
    let stored = (item.stored + [Make.image]).map { Make.stored($0) }
    let plan = Make.plan(item.desired, over: stored, host: host)
    try plan.validate()
    #expect(plan.refusals == item.refusals)
    #expect(plan.actions.count + plan.refused.count + plan.unchanged.count == item.desired.count)
    #expect(Make.plan(item.desired.reversed(), over: stored, host: host) == plan)
  }

  @Test("amounts beyond all numbers don't overflow")
  func overflow() {
    let huge: Int64 = .max
    let machines = ["a", "b"].map {
      Make.machine($0, ["memory": ["guest": .integer(huge), "reservation": .integer(huge)]])
    }
    let plan = Make.plan(machines + [Make.image], host: Self.host)
    #expect(Set(plan.refused.map(\.id)) == Set(machines.map(\.id)))
  }
}
