import EngineInterface
import JSON
import Planning
import Resources
import TestSupport
import Testing

@Suite("What holds for every plan")
struct PlanPropertyTests {
  /// Does a plan's acts one after the other, in an order that its dependencies allow.
  private func apply(
    _ plan: Plan, to engine: MemoryEngine, _ random: inout SeededGenerator
  ) async throws {
    var left = plan.actions
    var done: Set<ResourceID> = []
    while !left.isEmpty {
      let ready = left.indices.filter { left[$0].dependencies.allSatisfy(done.contains) }
      let index = try #require(ready.randomElement(using: &random))
      let action = left.remove(at: index)
      _ = try await engine.perform(action.act, inputs: action.inputs) { _ in }
      done.insert(action.id)
    }
  }

  private func plan(
    _ resources: [Resource], _ engine: MemoryEngine, _ options: PlanOptions = PlanOptions()
  ) async throws -> Plan {
    let plan = Planner.plan(
      desired: DesiredState(resources: resources), observed: await engine.observe(),
      options: options)
    try plan.validate()
    return plan
  }

  @Test("in any order that a plan allows, its acts lead to an empty plan", arguments: 0..<200)
  func converges(seed: Int) async throws {
    var generator = ResourceGenerator(seed: UInt64(seed))
    let engine = MemoryEngine()
    var options = PlanOptions(allowReplace: true)
    for round in 0..<3 {
      let resources = generator.resources()
      options = PlanOptions(
        allowRestart: generator.random.oneIn(2), allowReplace: true, prune: round == 2)
      let plan = try await plan(resources, engine, options)
      #expect(plan.refusals == [], "seed \(seed) round \(round)")
      try await apply(plan, to: engine, &generator.random)
      let second = try await self.plan(resources, engine, options)
      #expect(second.words + second.refusals == [], "seed \(seed) round \(round)")
      let stored = await engine.observe().resources
      for resource in resources {
        let entry = stored.first { $0.resource.id == resource.id }
        #expect(entry?.resource.spec == resource.spec, "seed \(seed)")
      }
      if options.prune {
        #expect(Set(stored.filter { !$0.isBuiltIn }.map(\.resource.id)) == Set(resources.map(\.id)))
      }
    }
    let destroy = Planner.planDestroy(.all(set: nil), observed: await engine.observe())
    try destroy.validate()
    try await apply(destroy, to: engine, &generator.random)
    #expect(await engine.observe().resources.allSatisfy(\.isBuiltIn), "seed \(seed)")
  }

  @Test("a plan doesn't depend on the order of the documents", arguments: 0..<50)
  func order(seed: Int) async throws {
    var generator = ResourceGenerator(seed: UInt64(seed))
    // A small host, so that admission has something to refuse.
    let engine = MemoryEngine(host: HostCapacity(cpuMillicores: 8000, memory: 3 << 30))
    try await apply(try await plan(generator.resources(), engine), to: engine, &generator.random)
    let resources = generator.resources()
    let first = try await plan(resources, engine, PlanOptions(prune: true))
    for _ in 0..<3 {
      let shuffled = resources.shuffled(using: &generator.random)
      #expect(try await plan(shuffled, engine, PlanOptions(prune: true)) == first, "seed \(seed)")
    }
  }
}
