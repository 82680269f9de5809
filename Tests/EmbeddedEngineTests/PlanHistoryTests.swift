import EmbeddedEngine
import EngineInterface
import JSON
import Planning
import Resources
import SystemIO
import TestSupport
import Testing

@Suite("Random manifests, one after the other, of halted machines")
struct PlanHistoryTests {
  /// Resources that this engine makes without booting anything.
  private func resources(_ generator: inout ResourceGenerator) -> [Resource] {
    generator.resources().map { resource in
      guard resource.id.kind == .virtualMachine else { return resource }
      return resource.with("runStrategy", "Halted").with("firmware", ["boot": "bios"])
    }
  }

  private func plan(
    _ resources: [Resource], _ fixture: EngineFixture, _ engine: EmbeddedEngine
  ) async throws -> Plan {
    var inputs: [ResourceID: String] = [:]
    for resource in resources where resource.id.kind == .image {
      inputs[resource.id] = try await fixture.builder.inputs(of: resource)
    }
    let plan = Planner.plan(
      desired: DesiredState(resources: resources, inputs: inputs),
      observed: try await engine.observe(), options: PlanOptions(allowReplace: true, prune: true))
    try plan.validate()
    return plan
  }

  private func apply(_ plan: Plan, to engine: EmbeddedEngine) async throws {
    for action in plan.actions {
      _ = try await engine.perform(action.act, inputs: action.inputs) { _ in }
    }
  }

  /// What is declared of each resource and what the engine made for it, without paths and uids.
  private func summary(
    _ engine: EmbeddedEngine, _ ids: Set<ResourceID>
  ) async throws -> [String] {
    try await engine.observe().resources.filter { ids.contains($0.resource.id) }.map { stored in
      let resource = stored.resource
      let disks = (stored.details["disks"]?.array ?? []).map { disk in
        // The generation of its image is that of the day it was made.
        "\(disk["name"]?.string ?? "") \(disk["virtualSize"]?.integer ?? 0)"
      }
      let digest = stored.details["digest"]?.string ?? ""
      return "\(resource.id) \(resource.spec.text()) \(resource.labels) \(resource.set ?? "")"
        + " \(stored.phase) \(disks) \(digest) \(stored.details["virtualSize"]?.integer ?? 0)"
    }
  }

  @Test(
    "an applied plan is empty; B after A is B from nothing; nothing is left over", arguments: 0..<5)
  func history(seed: Int) async throws {
    let (fixture, other) = (try EngineFixture(), try EngineFixture())
    defer {
      fixture.cleanUp()
      other.cleanUp()
    }
    let (first, second) = (try fixture.open(), try other.open())
    var generator = ResourceGenerator(seed: UInt64(seed), policies: .mild)
    let (a, b) = (resources(&generator), resources(&generator))
    for resources in [a, b] {
      try await apply(try await plan(resources, fixture, first), to: first)
      let again = try await plan(resources, fixture, first)
      #expect(again.actions.map { "\($0.act.verb) \($0.id)" } == [], "seed \(seed)")
      #expect(try await first.audit() == [], "seed \(seed)")
    }
    try await apply(try await plan(b, other, second), to: second)
    let ids = Set(b.map(\.id))
    let (after, fresh) = (try await summary(first, ids), try await summary(second, ids))
    for (one, other) in zip(after, fresh) { #expect(one == other, "seed \(seed)") }
    #expect(after.count == fresh.count)

    // A plan that was saved is the same, and does the same.
    let rest = try await first.observe().resources.filter { !$0.isBuiltIn }.map {
      $0.resource.with("lifecycle.deletionPolicy", "Delete")
    }
    let release = SavedPlan(try await plan(rest, fixture, first), created: 0, manifests: [])
    let read = try SavedPlan(JSONValue(parsing: release.jsonValue.text()))
    #expect(read == release)
    try await apply(read.plan, to: first)
    try await apply(
      Planner.planDestroy(.all(set: nil), observed: try await first.observe()), to: first)
    #expect(try await first.observe().resources.allSatisfy(\.isBuiltIn), "seed \(seed)")
    #expect(try await first.audit() == [], "seed \(seed)")
    #expect(try namesInDirectory(fixture.home + "/machines") == [])
  }
}
