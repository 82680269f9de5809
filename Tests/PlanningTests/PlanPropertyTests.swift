import Diagnostics
import EngineInterface
import JSON
import Planning
import Resources
import TestSupport
import Testing

@Suite("What holds for every plan")
struct PlanPropertyTests {
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
    var generator = ResourceGenerator(seed: UInt64(seed), policies: .mild, servesNetworks: true)
    let engine = MemoryEngine()
    var options = PlanOptions(allowReplace: true)
    for round in 0..<3 {
      let resources = generator.resources()
      if round > 0 { await engine.drift(&generator.random) }
      options = PlanOptions(
        allowRestart: generator.random.oneIn(2), allowReplace: true, prune: round == 2)
      let plan = try await plan(resources, engine, options)
      // What is retained keeps what it refers to.
      #expect(plan.refused.allSatisfy { $0.diagnostic.code == "in-use" }, "seed \(seed)")
      try await engine.apply(plan, &generator.random)
      let second = try await self.plan(resources, engine, options)
      #expect(second.words == [], "seed \(seed) round \(round)")
      #expect(second.drift.isEmpty, "seed \(seed)")
      let stored = await engine.observe().resources
      for resource in resources {
        let entry = stored.first { $0.resource.id == resource.id }
        #expect(entry?.resource.spec == resource.spec, "seed \(seed)")
      }
      if options.prune {
        let left = stored.filter { !$0.isBuiltIn && $0.resource.set != nil }
        let kept = Set(second.refused.map(\.id))
        #expect(Set(left.map(\.resource.id)).subtracting(kept) == Set(resources.map(\.id)))
      }
    }
  }

  @Test("what is refused stays refused, and the rest is done", arguments: 0..<200)
  func refusals(seed: Int) async throws {
    var generator = ResourceGenerator(seed: UInt64(seed), policies: .all, servesNetworks: true)
    let engine = MemoryEngine(host: HostCapacity(cpuMillicores: 8000, memory: 3 << 30))
    for _ in 0..<3 {
      let resources = generator.resources()
      await engine.drift(&generator.random)
      let options = PlanOptions(prune: generator.random.oneIn(2))
      let plan = try await plan(resources, engine, options)
      try await engine.apply(plan, &generator.random)
      let second = try await self.plan(resources, engine, options)
      // Room that an act made, or took, can let something else go on or not.
      if !plan.refused.contains(where: { $0.diagnostic.code == "host-memory" }) {
        #expect(second.words == [], "seed \(seed)")
        #expect(Set(second.refused.map(\.id)).isSubset(of: plan.refused.map(\.id)))
      }
    }
  }

  @Test("B after A is B from nothing, but for what is retained", arguments: 0..<200)
  func history(seed: Int) async throws {
    var generator = ResourceGenerator(seed: UInt64(seed), policies: .mild, servesNetworks: true)
    let (first, second) = (MemoryEngine(), MemoryEngine())
    let (a, b) = (generator.resources(), generator.resources())
    let options = PlanOptions(allowReplace: true, prune: true, set: "web", takeOver: true)
    let before = PlanOptions(set: ["web", "default"].randomElement(using: &generator.random) ?? "")
    try await first.apply(try await plan(a, first, before), &generator.random)
    await first.drift(&generator.random)
    try await first.apply(try await plan(b, first, options), &generator.random)
    try await second.apply(try await plan(b, second, options), &generator.random)
    let declared = Set(b.map(\.id))
    func kept(_ engine: MemoryEngine) async -> [Resource] {
      await engine.observe().resources.map(\.resource).filter { declared.contains($0.id) }
    }
    #expect(await kept(first) == kept(second), "seed \(seed)")
    // What else is there was retained, is used by what was or by a guest until its next boot, or
    // belongs to the other set.
    let all = await first.observe().resources
    let rest = all.filter { !$0.isBuiltIn && !declared.contains($0.resource.id) }
    for stored in rest where stored.resource.set == "web" {
      let id = stored.resource.id
      let left = all.flatMap { $0.machine?.networksLeft ?? [] }
      let isUsed =
        rest.contains { $0.resource.referencedIDs.contains(id) }
        || id.kind == .network && left.contains(id.name)
      #expect(isUsed, "seed \(seed): \(stored.resource.id)")
    }
  }

  @Test(
    "destroying everything leaves nothing, and what is retained can be released", arguments: 0..<60)
  func destroysAll(seed: Int) async throws {
    var generator = ResourceGenerator(seed: UInt64(seed), policies: .mild, servesNetworks: true)
    let engine = MemoryEngine()
    let resources = generator.resources()
    try await engine.apply(try await plan(resources, engine), &generator.random)
    try await engine.apply(
      Planner.planDestroy(.all(set: nil), observed: await engine.observe()), &generator.random)
    let left = await engine.observe().resources.filter { !$0.isBuiltIn }
    let retained = left.filter { $0.resource.set == nil }
    #expect(
      retained.allSatisfy { $0.resource.spec["lifecycle"]?["deletionPolicy"] == "Retain" })
    for stored in left where stored.resource.set != nil {
      #expect(left.contains { $0.resource.referencedIDs.contains(stored.resource.id) })
    }
    // The way round, with a manifest that no longer retains anything.
    let released = left.map { stored in
      var resource = stored.resource
      resource = resource.with("lifecycle.deletionPolicy", "Delete")
      return resource
    }
    try await engine.apply(try await plan(released, engine), &generator.random)
    let destroy = Planner.planDestroy(.all(set: nil), observed: await engine.observe())
    try destroy.validate()
    try await engine.apply(destroy, &generator.random)
    #expect(await engine.observe().resources.allSatisfy(\.isBuiltIn), "seed \(seed)")
  }

  @Test("a plan doesn't depend on the order of the documents", arguments: 0..<100)
  func order(seed: Int) async throws {
    var generator = ResourceGenerator(seed: UInt64(seed), policies: .all, servesNetworks: true)
    // A small host, so that admission has something to refuse.
    let engine = MemoryEngine(host: HostCapacity(cpuMillicores: 8000, memory: 3 << 30))
    try await engine.apply(try await plan(generator.resources(), engine), &generator.random)
    await engine.drift(&generator.random)
    let resources = generator.resources()
    var options = PlanOptions(prune: true)
    if generator.random.oneIn(2), let target = resources.randomElement(using: &generator.random) {
      options.scope.targets = [target.id]
    }
    let first = try await plan(resources, engine, options)
    for _ in 0..<3 {
      let shuffled = resources.shuffled(using: &generator.random)
      #expect(try await plan(shuffled, engine, options) == first, "seed \(seed)")
    }
  }
}
