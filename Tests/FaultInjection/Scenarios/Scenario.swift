package import EngineInterface
internal import JSON
package import Resources

/// An act with what has to be there before it, and what must be there in the end.
package struct Scenario: Sendable, CustomStringConvertible {
  /// What a process does that may die over it.
  package enum Operation: Sendable {
    /// Plans and applies this state; what it does not declare goes where `prune` is set.
    case apply([Resource], restart: Bool = false, prune: Bool = false)
    /// A verb on a machine.
    case control(String, MachineVerb)
    /// Makes a volume of a disk image from outside, `ROOT/FILE.raw`.
    case adopt(Resource, file: String, isMoved: Bool)
    /// Destroys everything.
    case destroy
    /// Looks, and looks again until all that shall run runs.
    case observe
  }

  /// What happens to a machine's processes before the operation.
  package enum Blow: Sendable {
    case none, killMonitor, killGuest
  }

  /// Its name, for messages and to name it on the command's line.
  package var description: String
  /// What is applied before.
  package var before: [Resource] = []
  /// Verbs carried out after that.
  package var verbs: [(machine: String, verb: MachineVerb)] = []
  /// What then happens to every machine.
  package var blow = Blow.none
  /// Whether the engine's directory is not there yet.
  package var isFirst = false
  /// Where the operation dies before it is tried again, so that what may die is the repair.
  package var firstDeath: String?
  /// What may die.
  package var operation: Operation
  /// What is done after a death, where that is not the operation again.
  package var repair: Operation?
  /// What is declared in the end: a plan of it must be empty.
  package var after: [Resource]
  /// What each machine must do in the end.
  package var states: [String: MachineStatus.State] = [:]

  /// Whether each run comes to the same steps.
  ///
  /// What was cut short among acts that run beside each other differs, and how often is looked until
  /// all runs, and whether a guest that is killed gets to see the power button before.
  package var isSteady: Bool {
    switch operation {
    case .observe, .control(_, .stop(grace: 0)): false
    default: firstDeath == nil
    }
  }

  package init(
    _ name: String, before: [Resource] = [], blow: Blow = .none, operation: Operation,
    after: [Resource], states: [String: MachineStatus.State] = [:]
  ) {
    description = name
    self.before = before
    self.blow = blow
    self.operation = operation
    self.after = after
    self.states = states
  }
}

extension Scenario {
  /// All that are tried.
  package static let all: [Scenario] =
    storage + halted + running + verbs + fates + sites + networks

  package static func named(_ name: String) -> Scenario? { all.first { $0.description == name } }

  private static func create(_ resource: Resource, _ before: [Resource] = []) -> Scenario {
    Scenario(
      "create \(resource.id)", before: before, operation: .apply(before + [resource]),
      after: before + [resource], states: [:])
  }

  private static func delete(_ resource: Resource, _ rest: [Resource] = []) -> Scenario {
    Scenario(
      "delete \(resource.id)", before: rest + [resource],
      operation: .apply(rest, prune: true), after: rest)
  }

  /// Destroys everything; after a death, or in the end, all is wanted again.
  private static func deleteInVain(
    _ name: String, _ resources: [Resource], _ states: [String: MachineStatus.State] = [:]
  ) -> Scenario {
    var scenario = Scenario(
      name, before: resources, operation: .destroy, after: resources, states: states)
    scenario.repair = .apply(resources)
    return scenario
  }

  private static func adopt(_ name: String, isMoved: Bool) -> Scenario {
    let volume = volume("data", format: "raw")
    return Scenario(
      name, operation: .adopt(volume, file: "other", isMoved: isMoved), after: [volume])
  }

  private static let storage: [Scenario] = [
    create(pool("fast")), create(pool("far", path: "/far")), create(resourcePool("dev")),
    create(network("lan")), create(image("base")), create(volume("data")),
    delete(pool("fast")), delete(pool("far", path: "/far")), delete(resourcePool("dev")),
    delete(network("lan")), delete(image("base")), delete(volume("data")),
    Scenario(
      "grow a volume", before: [volume("data")], operation: .apply([volume("data", size: 2 << 20)]),
      after: [volume("data", size: 2 << 20)]),
    Scenario(
      "grow a raw volume", before: [volume("data", format: "raw")],
      operation: .apply([volume("data", size: 2 << 20, format: "raw")]),
      after: [volume("data", size: 2 << 20, format: "raw")]),
    deleteInVain("destroy storage that is wanted again", [pool("fast")] + parts),
    adopt("import a copy of a disk", isMoved: false), adopt("import a disk", isMoved: true),
    Scenario(
      "replace an image", before: [image("base")],
      operation: .apply([image("base", file: "other")]),
      after: [image("base", file: "other")]),
  ]

  private static let parts = [image("base"), volume("data")]
  private static let whole = machine(
    "vm", disks: [disk("root", image: "base"), disk("data", volume: "data")],
    interfaces: [interface("lan", ports: [port(22)])], strategy: "Halted", seed: "first")

  private static let halted: [Scenario] = [
    machineScenario("create a halted machine", from: nil, to: whole, .halted),
    Scenario(
      "delete a halted machine", before: parts + [whole], operation: .apply(parts, prune: true),
      after: parts),
    deleteInVain(
      "destroy a halted machine that is wanted again", parts + [whole], ["vm": .halted]),
    machineScenario(
      "change a halted machine", from: whole,
      to: machine(
        "vm", disks: [disk("root", image: "base"), disk("more", size: 1 << 20)],
        strategy: "Halted", seed: "second"), .halted),
    machineScenario(
      "replace a halted machine", from: whole,
      to: machine("vm", disks: [disk("root", image: "second")], strategy: "Halted"), .halted),
  ]

  private static let guest = machine(
    "vm", disks: [disk("root", image: "base"), disk("data", volume: "data")],
    interfaces: [interface("lan", ports: [port(22)])], strategy: "Always")

  private static let larger = machine(
    "vm",
    disks: [
      disk("root", image: "base"), disk("data", volume: "data"), disk("more", size: 1 << 20),
    ],
    interfaces: [interface("lan", ports: [port(22)]), interface("wan")], strategy: "Always",
    cpus: 2)
  private static let guestOfTwo = machine(
    "vm", disks: [disk("root", image: "base"), disk("data", volume: "data")],
    interfaces: [interface("lan", ports: [port(22)])], strategy: "Always", cpus: 2)

  private static func changed(
    strategy: String = "Always", memory: Int64 = 32 << 20, ports: [Int64] = [22],
    image: String = "base"
  ) -> Resource {
    machine(
      "vm", disks: [disk("root", image: image), disk("data", volume: "data")],
      interfaces: [interface("lan", ports: ports.map { port($0) })], strategy: strategy,
      memory: memory)
  }

  private static let running: [Scenario] = [
    machineScenario("create a running machine", from: nil, to: guest, .running),
    Scenario(
      "delete a running machine", before: parts + [guest], operation: .apply(parts, prune: true),
      after: parts),
    deleteInVain(
      "destroy a running machine that is wanted again", parts + [guest], ["vm": .running]),
    machineScenario(
      "change a running machine at once", from: guest, to: changed(ports: [22, 80]), .running),
    machineScenario("plug into a running machine", from: guest, to: larger, .running),
    machineScenario("unplug from a running machine", from: larger, to: guestOfTwo, .running),
    machineScenario("stage a change", from: guest, to: changed(memory: 48 << 20), .running),
    machineScenario(
      "restart for a change", from: guest, to: changed(memory: 48 << 20), .running, restart: true),
    machineScenario(
      "halt a running machine", from: guest, to: changed(strategy: "Halted"), .halted),
    machineScenario(
      "replace a running machine", from: guest, to: changed(image: "second"), .running),
    Scenario(
      "grow the disk of a running machine", before: parts + [guest],
      operation: .apply([image("base"), volume("data", size: 2 << 20), guest]),
      after: [image("base"), volume("data", size: 2 << 20), guest], states: ["vm": .running]),
  ]

  private static func machineScenario(
    _ name: String, from before: Resource?, to after: Resource, _ state: MachineStatus.State,
    restart: Bool = false
  ) -> Scenario {
    let isOther = after.spec.text().contains("\"second\"") && !name.contains("change")
    let parts = parts + (isOther ? [image("second", file: "other")] : [])
    return Scenario(
      name, before: parts + [before].compactMap { $0 },
      operation: .apply(parts + [after], restart: restart), after: parts + [after],
      states: ["vm": state])
  }

  private static func verb(
    _ name: String, _ verb: MachineVerb, after before: [MachineVerb] = [],
    _ state: MachineStatus.State
  ) -> Scenario {
    let guest = changed(strategy: "Manual")
    var scenario = Scenario(
      name, before: parts + [guest], operation: .control("vm", verb), after: parts + [guest],
      states: ["vm": state])
    scenario.verbs = before.map { ("vm", $0) }
    return scenario
  }

  /// What is applied again after a verb that its run strategy does not agree with.
  private static func again(
    _ name: String, _ guest: Resource, after verb: MachineVerb, _ state: MachineStatus.State
  ) -> Scenario {
    var scenario = Scenario(
      name, before: parts + [guest], operation: .apply(parts + [guest]), after: parts + [guest],
      states: ["vm": state])
    scenario.verbs = [("vm", verb)]
    return scenario
  }

  private static let verbs: [Scenario] = [
    verb("start", .start, .running),
    verb("stop", .stop(grace: nil), after: [.start], .halted),
    verb("kill", .stop(grace: 0), after: [.start], .halted),
    verb("reboot", .reboot(force: false), after: [.start], .running),
    verb("reset", .reboot(force: true), after: [.start], .running),
    verb("pause", .pause, after: [.start], .paused),
    verb("resume", .resume, after: [.start, .pause], .running),
  ]

  private static let fates: [Scenario] = [
    again("start what should run", guest, after: .stop(grace: 0), .running),
    again("halt what should not run", whole, after: .start, .halted),
    Scenario(
      "adopt a guest", before: parts + [guest], blow: .killMonitor, operation: .observe,
      after: parts + [guest], states: ["vm": .running]),
    Scenario(
      "start again by the run strategy", before: parts + [guest], blow: .killGuest,
      operation: .observe, after: parts + [guest], states: ["vm": .running]),
  ]

  private static let lab = network("lab", mode: "nat")
  private static func plugged(
    _ strategy: String, on network: String? = "lab"
  ) -> Resource {
    machine(
      "vm", disks: [disk("root", image: "base")],
      interfaces: network.map { [interface("lan", network: $0)] } ?? [], strategy: strategy)
  }

  /// On a network of mode nat, whose supervisor may die as well.
  private static func onNetwork(
    _ name: String, from before: Resource?, to after: Resource?,
    _ state: MachineStatus.State = .running
  ) -> Scenario {
    let parts = [image("base"), lab]
    let declared = parts + [after].compactMap { $0 }
    var scenario = Scenario(
      name, before: parts + [before].compactMap { $0 },
      operation: .apply(declared, prune: true), after: declared)
    if after != nil { scenario.states = ["vm": state] }
    return scenario
  }

  private static func networkVerb(
    _ name: String, _ verb: MachineVerb, after before: [MachineVerb] = [],
    _ state: MachineStatus.State
  ) -> Scenario {
    let all = [image("base"), lab, plugged("Manual")]
    var scenario = Scenario(
      name, before: all, operation: .control("vm", verb), after: all, states: ["vm": state])
    scenario.verbs = before.map { ("vm", $0) }
    return scenario
  }

  private static let networks: [Scenario] = [
    create(lab), delete(lab),
    Scenario(
      "change a network", before: [lab],
      operation: .apply([network("lab", mode: "isolated", domain: "lab.test")]),
      after: [network("lab", mode: "isolated", domain: "lab.test")]),
    onNetwork("create a machine on a network", from: nil, to: plugged("Always")),
    onNetwork("delete a machine on a network", from: plugged("Always"), to: nil),
    onNetwork(
      "plug a machine into a network", from: plugged("Always", on: nil), to: plugged("Always")),
    onNetwork(
      "unplug a machine from a network", from: plugged("Always"), to: plugged("Always", on: nil)),
    networkVerb("start on a network", .start, .running),
    networkVerb("stop on a network", .stop(grace: nil), after: [.start], .halted),
    Scenario(
      "destroy a network with its machine", before: [image("base"), lab, plugged("Always")],
      operation: .destroy, after: []),
    deleteInVain(
      "destroy a network that is wanted again", [image("base"), lab, plugged("Always")],
      ["vm": .running]),
  ]

  private static let site: [Resource] = [
    pool("fast"), resourcePool("dev"), network("lan"), image("base"),
    volume("data", pool: "fast"), volume("keep", format: "raw"),
    machine(
      "one", disks: [disk("root", image: "base"), disk("data", volume: "data")],
      interfaces: [interface("lan", network: "lan", ports: [port(22)])], strategy: "Always",
      seed: "one"),
    machine("two", disks: [disk("root", image: "base")], strategy: "Halted"),
  ]

  /// The very first command, which makes the directory and the database.
  private static let first: Scenario = {
    var scenario = Scenario(
      "the first command", operation: .apply([pool("fast")]), after: [pool("fast")])
    scenario.isFirst = true
    return scenario
  }()

  private static func cutShort(
    _ name: String, _ operation: Operation, _ after: [Resource], _ place: String
  ) -> Scenario {
    var scenario = Scenario(name, operation: operation, after: after, states: siteStates)
    scenario.firstDeath = place
    return scenario
  }

  private static let siteStates: [String: MachineStatus.State] = ["one": .running, "two": .halted]

  private static let sites: [Scenario] = [
    Scenario("apply a site", operation: .apply(site), after: site, states: siteStates),
    Scenario("destroy a site", before: site, operation: .destroy, after: []),
    cutShort("go on with a site", .apply(site), site, "after commit of setMachine(_:with:_:)"),
    cutShort(
      "begin a site again", .apply(site), site, "after rename to /home/pools/fast/.ingot-pool"),
    first,
  ]
}
