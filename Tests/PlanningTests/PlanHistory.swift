import EngineInterface
import JSON
import Planning
import Resources
import TestSupport
import Testing

/// An engine that random manifests are applied to, one after the other.
struct PlanHistory {
  private let engine = MemoryEngine(host: HostCapacity(cpuMillicores: 16_000, memory: 6 << 30))
  private var generator: ResourceGenerator

  init(seed: UInt64) {
    generator = ResourceGenerator(seed: seed, policies: .all, servesNetworks: true)
  }

  /// Plans random resources with random options over what the last step left, and applies that.
  mutating func step() async throws -> Plan {
    await engine.drift(&generator.random)
    let resources = generator.resources()
    let named = resources.randomElement(using: &generator.random).map { [$0.id] } ?? []
    var options = PlanOptions(
      allowRestart: generator.random.oneIn(2), allowReplace: generator.random.oneIn(2),
      replace: generator.random.oneIn(3) ? Set(named) : [], prune: generator.random.oneIn(2),
      set: generator.random.oneIn(3) ? "other" : PlanOptions.defaultSet,
      takeOver: generator.random.oneIn(2))
    if generator.random.oneIn(4) { options.scope.excluded = Set(named) }
    let inputs = resources.filter { $0.id.kind == .image }.map {
      ($0.id, generator.random.oneIn(2) ? "a" : "b")
    }
    let plan = Planner.plan(
      desired: DesiredState(
        resources: resources, inputs: Dictionary(inputs, uniquingKeysWith: { $1 })),
      observed: await engine.observe(), options: options)
    try plan.validate()
    try await engine.apply(plan, &generator.random)
    return plan
  }
}

extension MemoryEngine {
  /// Does a plan's acts one after the other, in an order that its dependencies allow.
  func apply(_ plan: Plan, _ random: inout SeededGenerator) async throws {
    var left = plan.actions
    var done: Set<ResourceID> = []
    while !left.isEmpty {
      let ready = left.indices.filter { left[$0].dependencies.allSatisfy(done.contains) }
      let index = try #require(ready.randomElement(using: &random))
      let action = left.remove(at: index)
      _ = try await perform(action.act, inputs: action.inputs) { _ in }
      done.insert(action.id)
    }
  }

  /// Changes some machines and volumes by another way.
  func drift(_ random: inout SeededGenerator) {
    for stored in observe().resources where random.oneIn(3) {
      let drift: Drift
      switch stored.resource.id.kind {
      case .virtualMachine:
        drift = Drift(
          path: "cpu.count", applied: stored.resource.spec["cpu"]?["count"], actual: 255,
          effect: random.oneIn(2) ? .live : .nextBoot)
      case .volume:
        drift = Drift(
          path: "size", applied: stored.resource.spec["size"], actual: 512, effect: .live)
      default: continue
      }
      change(stored.resource.id) { $0.drift = [drift] }
    }
  }
}
