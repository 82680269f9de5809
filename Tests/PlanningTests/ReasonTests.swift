import Diagnostics
import EngineInterface
import JSON
import Planning
import Resources
import TestSupport
import Testing

@Suite("Which action, and why")
struct ReasonTests {
  @Test("what is missing is made, in the order of references")
  func creates() throws {
    let volume = Resource.normalized(.volume, "data", ["size": .integer(Make.gibi)])
    let machine = Make.machine(
      "web",
      [
        "resourcePool": "dev", "interfaces": [["name": "lan", "network": "lab"]],
        "disks": [["name": "root", "image": "debian"], ["name": "data", "volume": "data"]],
      ])
    let plan = Make.plan([
      machine, volume, Make.image, Make.pool("dev", parent: "top"), Make.pool("top"),
      .normalized(.network, "lab", ["mode": "user"]),
    ])
    try plan.validate()
    #expect(plan.actions.allSatisfy { $0.reason.code == .missing && $0.effect == .none })
    #expect(
      plan.levels.map { $0.map(\.id.description) } == [
        ["ResourcePool/top", "Network/lab", "Image/debian", "Volume/data"],
        ["ResourcePool/dev"], ["VirtualMachine/web"],
      ])
    #expect(
      plan.actions.last?.dependencies.map(\.description)
        == ["ResourcePool/dev", "Network/lab", "Image/debian", "Volume/data"])
  }

  @Test("destroying goes the other way, and leaves what is built in")
  func destroy() throws {
    let stored = [Make.image, Make.machine(), Make.pool("top"), Make.pool("dev", parent: "top")]
    let plan = Planner.planDestroy(
      .all(set: nil), observed: Make.observed(stored.map { Make.stored($0) }))
    try plan.validate()
    #expect(
      plan.levels.map { $0.map(\.id.description) } == [
        ["ResourcePool/dev", "VirtualMachine/web"], ["ResourcePool/top", "Image/debian"],
      ])
    #expect(plan.actions.map(\.effectWord) == ["none", "destroy", "none", "none"])
    #expect(plan.worstEffect == .replace)
  }

  @Test("what is still used isn't destroyed")
  func inUse() {
    let observed = Make.observed([Make.stored(Make.image), Make.stored(Make.machine())])
    let plan = Planner.planDestroy(.resources([Make.image.id]), observed: observed)
    #expect(plan.refusals == ["delete Image/debian in-use"])
    #expect(plan.refused.first?.diagnostic.message == "Image/debian is used by VirtualMachine/web")
  }

  @Test("protection holds what is protected and what it uses; the rest goes")
  func protection() throws {
    let kept = Make.machine("db").with("lifecycle.deletionProtection", true)
    let stored = [Make.image, kept, Make.machine("web")].map { Make.stored($0) }
    let plan = Planner.planDestroy(.all(set: nil), observed: Make.observed(stored))
    #expect(plan.words == ["delete VirtualMachine/web replace"])
    #expect(plan.refusals == ["delete Image/debian in-use", "delete VirtualMachine/db protected"])
  }

  @Test("protection is what was stored, not what the manifest says now")
  func storedProtection() throws {
    let other = Resource.normalized(.image, "o", ["source": ["archive": ["path": "/o.tar"]]])
    let kept = Make.machine().with("lifecycle.deletionProtection", true)
    let stored = [Make.image, other, kept].map { Make.stored($0) }
    let off = kept.with("lifecycle.deletionProtection", false)
    #expect(Make.plan([off], over: stored).words == ["update VirtualMachine/web none"])
    let replaced = off.with("disks", [["name": "root", "image": "o"]])
    let plan = Make.plan([replaced], over: stored)
    #expect(plan.refusals == ["replace VirtualMachine/web protected"])
    let message = try #require(plan.refused.first).diagnostic.message
    #expect(message.contains("disks[root].image cannot change in place"))
  }

  @Test("built-in resources can't be destroyed by name")
  func builtIn() {
    let plan = Planner.planDestroy(
      .resources([ResourceID(.network, "default"), ResourceID(.volume, "none")]),
      observed: Make.observed())
    #expect(plan.refusals == ["delete Network/default built-in"])
  }

  @Test("only pruning deletes what no manifest declares")
  func prune() throws {
    let stored = [Make.image, Make.machine("a"), Make.machine("b")].map { Make.stored($0) }
    #expect(Make.plan([Make.image, Make.machine("b")], over: stored).isEmpty)
    let plan = Make.plan([Make.image, Make.machine("b")], over: stored, prune: true)
    #expect(plan.words == ["delete VirtualMachine/a replace"])
    let all = Make.plan([], over: stored, prune: true)
    try all.validate()
    #expect(
      all.actions.map(\.id.description) == ["VirtualMachine/a", "VirtualMachine/b", "Image/debian"])
  }

  /// A machine's strategy, its state, and what is done.
  static let runs: [(String, MachineStatus.State, String?)] = [
    ("Always", .halted, "start"), ("Always", .crashed, "start"), ("Always", .running, nil),
    ("Always", .backOff, nil), ("Always", .starting, nil), ("Always", .paused, nil),
    ("Always", .stopping, nil), ("RerunOnFailure", .halted, nil),
    ("RerunOnFailure", .crashed, "start"), ("Manual", .halted, nil), ("Manual", .running, nil),
    ("Halted", .running, "stop"), ("Halted", .paused, "stop"), ("Halted", .backOff, "stop"),
    ("Halted", .unresponsive, "stop"), ("Halted", .halted, nil), ("Halted", .crashed, nil),
  ]

  @Test("the run strategy is kept up", arguments: runs)
  func run(_ strategy: String, _ state: MachineStatus.State, _ verb: String?) throws {
    let machine = Make.machine("web", ["runStrategy": .string(strategy)])
    let plan = Make.plan(
      [machine], over: [Make.stored(machine, state), Make.stored(Make.image)])
    #expect(plan.actions.map(\.act.verb) == (verb.map { [$0] } ?? []))
    if let action = plan.actions.first {
      #expect(action.reason.code == (verb == "start" ? .notRunning : .running))
      #expect(action.reason.message == "run strategy \(strategy), but it is \(state.rawValue)")
    }
  }

  /// What stands in the store, and what is done about it.
  static let phases: [(Kind, ObservedResource.Phase, String, PlanReason.Code)] = [
    (.image, .incomplete, "create", .incomplete), (.image, .failed, "replace", .failed),
    (.virtualMachine, .incomplete, "create", .incomplete),
    (.virtualMachine, .failed, "update", .failed),
  ]

  @Test("what is cut short is made again; what is broken is mended", arguments: phases)
  func phase(
    _ kind: Kind, _ phase: ObservedResource.Phase, _ verb: String, _ code: PlanReason.Code
  ) throws {
    let resources = [Make.image, Make.machine()]
    let stored = resources.map {
      Make.stored($0, phase: $0.id.kind == kind ? phase : .ready, reason: "disk missing")
    }
    let plan = Make.plan(resources, over: stored)
    let action = try #require(plan.actions.first)
    #expect(plan.actions.count == 1)
    #expect(action.act.verb == verb)
    #expect(action.reason.code == code)
    #expect(action.reason.message.hasSuffix(": disk missing"))
  }

  @Test("a change knows its line")
  func places() throws {
    let field = SourceSpan(file: "a.yaml", line: 9, column: 5)
    let document = SourceSpan(file: "a.yaml", line: 1, column: 1)
    var new = Make.machine().with("memory.guest", .integer(Make.gibi))
    new.source = document
    new.written = WrittenFields(new.written.paths, places: ["spec.memory": field])
    let plan = Make.plan([new], over: [Make.stored(Make.machine()), Make.stored(Make.image)])
    let action = try #require(plan.actions.first)
    #expect(action.source == field)
    #expect(action.changes.first?.source == field)
    #expect(Make.plan([new, Make.image]).actions.last?.source == document)
  }

  @Test("what the engine can't do is refused at the field, and what needs it with it")
  func unsupported() throws {
    var network = Resource.normalized(.network, "lab", ["mode": "nat"])
    network.written = WrittenFields(
      network.written.paths, places: ["spec.mode": SourceSpan(file: "n.yaml", line: 4, column: 9)])
    let machine = Make.machine("web", ["interfaces": [["name": "lan", "network": "lab"]]])
    let plan = Planner.plan(
      desired: DesiredState(resources: [machine, network, Make.image]),
      observed: Make.observed(unsupported: [
        .init(kind: .network, path: "spec.mode", values: ["nat"], reason: "not yet; use user")
      ]))
    #expect(plan.words == ["create Image/debian none"])
    #expect(
      plan.refusals == [
        "create Network/lab unsupported", "create VirtualMachine/web needs-refused",
      ])
    let problem = try #require(plan.refused.first).diagnostic
    #expect(problem.span?.line == 4)
    #expect(problem.message == "nat is not supported here: not yet; use user")
  }

  @Test("unsupported fields are found in lists")
  func unsupportedInList() throws {
    let machine = Make.machine(
      "web", ["interfaces": [["name": "a"], ["name": "b", "address": "10.0.0.2"]]])
    let plan = Planner.plan(
      desired: DesiredState(resources: [machine, Make.image]),
      observed: Make.observed(unsupported: [
        .init(kind: .virtualMachine, path: "spec.interfaces.address", values: [], reason: "no")
      ]))
    #expect(plan.refused.map(\.diagnostic.path) == ["spec.interfaces[b].address"])
  }

  @Test("a reference to nothing is refused")
  func dangling() throws {
    let plan = Make.plan([Make.machine()])
    #expect(plan.refusals == ["create VirtualMachine/web missing-reference"])
    #expect(plan.refused.first?.diagnostic.path == "spec.disks[root].image")
  }

  @Test("what one gives up is freed before another takes it")
  func handOver() throws {
    func machine(_ name: String, _ mac: String?) -> Resource {
      var interface: JSONValue = ["name": "lan"]
      if let mac { interface["mac"] = .string(mac) }
      return Make.machine(name, ["interfaces": [interface]])
    }
    let stored = [Make.image, machine("z", "52:54:00:00:00:01")].map { Make.stored($0) }
    let plan = Make.plan([machine("a", "52:54:00:00:00:01"), machine("z", nil)], over: stored)
    try plan.validate()
    #expect(plan.actions.map(\.id.name) == ["z", "a"])
  }

  @Test("two that swap what only one can have are told to take two steps")
  func swap() throws {
    func machine(_ name: String, _ last: String) -> Resource {
      Make.machine(
        name, ["interfaces": [["name": "lan", "mac": .string("52:54:00:00:00:" + last)]]])
    }
    let stored = [Make.image, machine("a", "01"), machine("b", "02")].map { Make.stored($0) }
    let plan = Make.plan([machine("a", "02"), machine("b", "01")], over: stored)
    try plan.validate()
    #expect(plan.actions.isEmpty)
    #expect(Set(plan.refused.map(\.diagnostic.code)) == ["cycle", "duplicate-mac"])
  }
}
