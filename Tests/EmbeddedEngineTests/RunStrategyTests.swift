import EmbeddedEngine
import EngineInterface
import JSON
import Planning
import Resources
import Testing

@Suite("Run strategies changed by a manifest")
struct RunStrategyTests {
  @Test(
    "A changed run strategy is followed at once, and the next plan is empty", arguments: Step.all)
  func follow(_ step: Step) async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    try await carryOut([step.before], engine)
    try await carryOut([step.after], engine)
    let found = try await engine.resource(.virtualMachine, "vm")
    #expect(found?.machine?.state == step.state)
    #expect(found?.resource.spec == step.after.spec)
    #expect(found?.machine?.restartRequired == [])
    #expect(try await plan([step.after], engine).isEmpty)
  }

  @Test("A machine whose halting was cut short is halted by the next act")
  func haltAfterDeath() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let halted = machine("vm", strategy: "Halted")
    do {
      let engine = try fixture.open(checkpoint: { name in
        if name == "before update VirtualMachine stop" { throw SimulatedDeath(step: name) }
      })
      try await carryOut([machine("vm", strategy: "Always")], engine)
      await #expect(throws: SimulatedDeath.self) {
        try await engine.perform(.update(halted, restart: false))
      }
    }
    let engine = try fixture.open()
    try await carryOut([halted], engine)
    #expect(try await engine.resource(.virtualMachine, "vm")?.machine?.state == .halted)
    #expect(try await plan([halted], engine).isEmpty)
  }

  struct Step: Sendable, CustomTestStringConvertible {
    var before: Resource
    var after: Resource
    var state: MachineStatus.State
    var testDescription: String

    private init(
      _ before: String, _ after: String, memory: Int64 = 32 << 20, _ state: MachineStatus.State
    ) {
      self.before = machine("vm", strategy: before)
      self.after = machine("vm", strategy: after, memory: memory)
      self.state = state
      testDescription = "\(before) to \(after)" + (memory == 32 << 20 ? "" : ", with more memory")
    }

    static let all = [
      Step("Halted", "Always", .running), Step("Halted", "Always", memory: 48 << 20, .running),
      Step("Halted", "Manual", .halted), Step("Always", "Halted", .halted),
      Step("Always", "Halted", memory: 48 << 20, .halted), Step("Always", "Manual", .running),
      Step("Manual", "Always", .running),
    ]
  }

  private func plan(_ resources: [Resource], _ engine: EmbeddedEngine) async throws -> Plan {
    Planner.plan(
      desired: DesiredState(resources: resources), observed: try await engine.observe())
  }

  private func carryOut(_ resources: [Resource], _ engine: EmbeddedEngine) async throws {
    for action in try await plan(resources, engine).actions { try await engine.perform(action.act) }
  }
}
