internal import EngineInterface
internal import GRDB
internal import JSON
internal import Resources

/// Rules: nothing but a row, and what networks make of it.
struct SecurityGroupHandler: ResourceHandler {
  func reserve(_ db: Database, _ change: Change, in engine: EmbeddedEngine) throws {
    // What can't be read would keep networks from being told of anything.
    if let after = change.after { _ = try SecurityGroupSpecification(after.spec) }
  }

  func carryOut(_ run: ActRun) async throws -> ActOutcome {
    let engine = run.engine
    // A new one has nobody under it.
    guard let before = run.change.before?.resource, let after = run.change.after else {
      return ActOutcome()
    }
    try await run.step("networks") {
      for network in try engine.networksWithPorts() { try engine.publish(network) }
    }
    let differences = Schema.table(for: .securityGroup)
      .differences(from: before.spec, to: after.spec)
    return ActOutcome(effect: differences.map(\.effect).max() ?? .none)
  }

  func details(_ db: Database, _ change: Change, in engine: EmbeddedEngine) -> JSONValue { [:] }
  func remove(_ run: ActRun) async throws {}
  func forget(_ db: Database, uid: String) throws {}
}
