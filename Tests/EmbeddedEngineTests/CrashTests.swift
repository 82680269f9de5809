import EmbeddedEngine
import EngineInterface
import JSON
import Resources
import Synchronization
import SystemIO
import Testing

/// An engine that dies at a step: the checkpoint throws, nothing is cleared up, the engine object
/// goes with its locks; another one opens the same home.
@Suite("Death at every step")
struct CrashTests {
  @Test(
    "Whatever act dies at whatever step, the next act reaches the state and nothing is left",
    arguments: CrashScript.all + CrashScript.running + CrashScript.networks)
  func death(_ script: CrashScript) async throws {
    let steps = try await names(of: script)
    #expect(steps.count >= 4, "\(steps)")
    for index in steps.indices {
      try await afterDeath(of: script, at: steps[index], index) { engine, fixture in
        // A look in between must neither fail nor make it worse.
        _ = try await engine.observe()
        try await engine.perform(script.act)
        #expect(try await engine.audit() == [], "\(steps[index])")
        try await script.check(engine, "after a death \(steps[index])")

        // And all of it can be taken away again.
        for resource in try await engine.observe().resources.reversed() where !resource.isBuiltIn {
          try await engine.perform(.delete(resource.resource.id))
        }
        #expect(try namesInDirectory(fixture.home + "/images") == [], "\(steps[index])")
        #expect(try namesInDirectory(fixture.home + "/machines") == [], "\(steps[index])")
        #expect(try namesInDirectory(fixture.home + "/networks") == [], "\(steps[index])")
      }
    }
  }

  @Test(
    "What died while it was made can be taken away without being completed",
    arguments: (CrashScript.all + CrashScript.networks).filter {
      if case .create = $0.act { true } else { false }
    })
  func deleteAfterDeath(_ script: CrashScript) async throws {
    for (index, step) in try await names(of: script).enumerated() {
      try await afterDeath(of: script, at: step, index) { engine, _ in
        try await engine.perform(.delete(script.act.id))
        #expect(try await engine.resource(script.act.id.kind, script.act.id.name) == nil)
      }
    }
  }

  /// Lets a script's act die at the checkpoint of a number, then hands the next engine on the same
  /// home to `body`, which must leave it consistent.
  private func afterDeath(
    of script: CrashScript, at step: String, _ index: Int,
    _ body: (EmbeddedEngine, EngineFixture) async throws -> Void
  ) async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    try await script.prepare(fixture.open())
    do {
      let count = Mutex(0)
      let engine = try fixture.open(checkpoint: { name in
        let number = count.withLock { number in
          defer { number += 1 }
          return number
        }
        if number == index { throw SimulatedDeath(step: name) }
      })
      await #expect(throws: SimulatedDeath.self, "\(step)") {
        try await engine.perform(script.act)
      }
    }
    let engine = try fixture.open()
    try await body(engine, fixture)
    #expect(try await engine.audit() == [], "\(step)")
  }

  @Test("A machine is made anew on new disks before the guest stops; the old ones go at the end")
  func replacingOrder() async throws {
    let script = try #require(CrashScript.running.last)
    let steps = try await names(of: script).filter { $0.hasPrefix("before replace") }
    #expect(
      steps.map { $0.split(separator: " ").dropFirst(3).joined(separator: " ") } == [
        "intent", "directory", "disks", "seed", "stop", "configuration", "start", "old disks",
        "outcome",
      ])
  }

  @Test("A machine that can't be made anew keeps its old disks, and the next act completes it")
  func replacingFails() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let script = try #require(CrashScript.running.last)
    try await script.prepare(fixture.open())
    func files() throws -> [String] {
      try namesInDirectory(fixture.home + "/pools/default").filter { $0.hasSuffix(".qcow2") }
    }
    let old = Set(try files())
    #expect(old.count == 2)
    do {
      let engine = try fixture.open(checkpoint: { name in
        if name == "before replace VirtualMachine start" {
          throw SystemError("start", "qemu", errno: 12)
        }
      })
      await #expect(throws: EngineError.self) { try await engine.perform(script.act) }
      #expect(try await engine.resource(.virtualMachine, "vm")?.phase == .incomplete)
    }
    #expect(Set(try files()).isSuperset(of: old))
    #expect(try files().count == 4)
    let engine = try fixture.open()
    guard case .replace(let resource) = script.act else { return }
    try await engine.perform(.create(resource))
    #expect(try files().count == 2)
    #expect(Set(try files()).isDisjoint(with: old))
    try await script.check(engine, "after the failure")
    #expect(try await engine.audit() == [])
  }

  @Test("An act on a resource that another process acts on is refused; a dead one's is taken over")
  func busy() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    do {
      // Stays alive with its intent open, as a process in the middle of an act does.
      let first = try fixture.open(checkpoint: { name in
        if name == "after create Volume intent" { throw SimulatedDeath(step: name) }
      })
      await #expect(throws: SimulatedDeath.self) {
        try await first.perform(.create(volume("data")))
      }
      let second = try fixture.open()
      let error = await #expect(throws: EngineError.self) {
        try await second.perform(.create(volume("data")))
      }
      #expect(error?.code == "busy")
      #expect(try await second.resource(.volume, "data")?.phase == .incomplete)
      _ = try await first.observe()
    }
    let third = try fixture.open()
    let left = try await third.resource(.volume, "data")
    #expect(left?.phase == .incomplete)
    #expect(left?.reason == "create was cut short before its first step")
    try await third.perform(.create(volume("data")))
    #expect(try await third.audit() == [])
  }

  @Test(
    "A failure undoes what was to be made, at every step",
    arguments: (CrashScript.all + CrashScript.networks).filter {
      if case .create = $0.act { true } else { false }
    })
  func failure(_ script: CrashScript) async throws {
    for step in try await names(of: script) where step.hasPrefix("before create") {
      let fixture = try EngineFixture()
      defer { fixture.cleanUp() }
      try await script.prepare(fixture.open())
      let engine = try fixture.open(checkpoint: { name in
        if name == step { throw SystemError("write", "disk", errno: 28) }
      })
      let error = await #expect(throws: EngineError.self) { try await engine.perform(script.act) }
      #expect(error?.code == "no-space", "\(step)")
      #expect(try await engine.resource(script.act.id.kind, script.act.id.name) == nil, "\(step)")
      #expect(try await engine.audit() == [], "\(step)")
    }
  }

  /// The steps of a script's act, as a run without a death passes them.
  private func names(of script: CrashScript) async throws -> [String] {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    try await script.prepare(fixture.open())
    let names = Mutex<[String]>([])
    let engine = try fixture.open(checkpoint: { name in names.withLock { $0.append(name) } })
    try await engine.perform(script.act)
    return names.withLock { $0 }
  }
}

/// An act with what has to be there before it, and what must be there after it.
struct CrashScript: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let act: Act
  let before: [Resource]
  let expected: Resource?
  var isRunning = false

  func prepare(_ engine: EmbeddedEngine) async throws {
    for resource in before { try await engine.perform(.create(resource)) }
  }

  func check(_ engine: EmbeddedEngine, _ when: String) async throws {
    let found = try await engine.resource(act.id.kind, act.id.name)
    #expect(found?.resource.spec == expected?.spec, "\(when)")
    guard let expected else { return }
    #expect(found?.phase == .ready, "\(when)")
    if expected.id.kind == .virtualMachine {
      #expect(found?.machine?.state == (isRunning ? .running : .halted), "\(when)")
    }
  }

  private static func create(_ resource: Resource, _ before: [Resource] = []) -> CrashScript {
    CrashScript(
      testDescription: "create \(resource.id)", act: .create(resource), before: before,
      expected: resource)
  }

  private static func delete(_ resource: Resource, _ before: [Resource] = []) -> CrashScript {
    CrashScript(
      testDescription: "delete \(resource.id)", act: .delete(resource.id),
      before: before + [resource], expected: nil)
  }

  private static let halted = machine(
    "vm", disks: [disk("root", image: "base"), disk("data", volume: "data")],
    interfaces: [interface("lan", ports: [port(22)])])
  private static let parts = [image("base"), volume("data")]

  static let all: [CrashScript] = [
    create(pool("fast")), create(resourcePool("dev")), create(network("lan")),
    create(image("base")), create(volume("data")), create(halted, parts),
    delete(pool("fast")), delete(resourcePool("dev")), delete(network("lan")),
    delete(image("base")), delete(volume("data")), delete(halted, parts),
    CrashScript(
      testDescription: "grow Volume/data",
      act: .update(volume("data", size: 2 << 20), restart: false),
      before: [volume("data")], expected: volume("data", size: 2 << 20)),
    CrashScript(
      testDescription: "replace Image/base", act: .replace(image("base", tree: "/elsewhere")),
      before: [image("base")], expected: image("base", tree: "/elsewhere")),
    CrashScript(
      testDescription: "update VirtualMachine/vm",
      act: .update(machine("vm", disks: [disk("more", size: 1 << 20)]), restart: false),
      before: [machine("vm", disks: [disk("less", size: 1 << 20)])],
      expected: machine("vm", disks: [disk("more", size: 1 << 20)])),
    CrashScript(
      testDescription: "replace VirtualMachine/vm", act: .replace(halted),
      before: parts + [halted], expected: halted),
    CrashScript(
      testDescription: "replace Volume/data", act: .replace(volume("data")),
      before: [volume("data")], expected: volume("data")),
    CrashScript(
      testDescription: "replace Volume/data by another format",
      act: .replace(volume("data", format: "raw")),
      before: [volume("data")], expected: volume("data", format: "raw")),
  ]

  /// With networks that are processes of their own, where they can be made.
  static let networks: [CrashScript] = CanMakeNetworks.now ? processes : []

  private static let nat = network("lab", mode: "nat")
  private static let isolated = network("lab", mode: "isolated")
  private static let plugged = machine(
    "vm", interfaces: [interface("lan", network: "lab", ports: [port(22)])])
  private static let processes: [CrashScript] = [
    create(nat), delete(nat), create(plugged, [nat]), delete(plugged, [nat]),
    CrashScript(
      testDescription: "change Network/lab", act: .update(isolated, restart: false),
      before: [nat, plugged], expected: isolated),
    CrashScript(
      testDescription: "make QEMU itself Network/lab",
      act: .update(network("lab"), restart: false), before: [nat, plugged],
      expected: network("lab")),
    CrashScript(
      testDescription: "take VirtualMachine/vm off its network",
      act: .update(machine("vm"), restart: false), before: [nat, plugged],
      expected: machine("vm")),
  ]

  /// With a guest that runs: slower, so apart from the others.
  static let running: [CrashScript] = [
    CrashScript(
      testDescription: "create a running machine", act: .create(machine("vm", strategy: "Always")),
      before: [], expected: machine("vm", strategy: "Always"), isRunning: true),
    CrashScript(
      testDescription: "delete a running machine",
      act: .delete(ResourceID(.virtualMachine, "vm")),
      before: [machine("vm", strategy: "Always")], expected: nil),
    CrashScript(
      testDescription: "halt a running machine",
      act: .update(machine("vm", strategy: "Halted"), restart: false),
      before: [machine("vm", strategy: "Always")], expected: machine("vm", strategy: "Halted")),
    CrashScript(
      testDescription: "restart a running machine",
      act: .update(machine("vm", strategy: "Always", memory: 48 << 20), restart: true),
      before: [machine("vm", strategy: "Always")],
      expected: machine("vm", strategy: "Always", memory: 48 << 20), isRunning: true),
    CrashScript(
      testDescription: "replace a running machine", act: .replace(smaller),
      before: [image("base"), larger], expected: smaller, isRunning: true),
  ]

  private static let larger = machine(
    "vm", disks: [disk("root", image: "base"), disk("more", size: 2 << 20)], strategy: "Always")
  private static let smaller = machine(
    "vm", disks: [disk("root", image: "base"), disk("more", size: 1 << 20)], strategy: "Always")
}
