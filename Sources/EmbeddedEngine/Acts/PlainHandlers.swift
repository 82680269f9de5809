internal import EngineInterface
internal import GRDB
internal import JSON
internal import Resources

/// A part of the host: nothing but its row.
struct ResourcePoolHandler: ResourceHandler {
  func reserve(_ db: Database, _ change: Change, in engine: EmbeddedEngine) throws {
    guard let after = change.after else { return }
    var parent = try ResourcePoolSpecification(after.spec).parent
    var seen: Set<String> = [change.id.name]
    while let name = parent {
      guard seen.insert(name).inserted else {
        throw EngineError(
          "invalid", "the parents of \(change.id) form a ring through '\(name)'",
          help: "let one of them have no parent")
      }
      let row = try StoredResource.require(db, ResourceID(.resourcePool, name))
      parent = try ResourcePoolSpecification(row.resource.spec).parent
    }
  }

  func carryOut(_ run: ActRun) async throws -> ActOutcome {
    guard let before = run.change.before?.resource, let after = run.change.after else {
      return ActOutcome()
    }
    let differences = Schema.table(for: .resourcePool)
      .differences(from: before.spec, to: after.spec)
    return ActOutcome(effect: differences.map(\.effect).max() ?? .none)
  }
  func details(_ db: Database, _ change: Change, in engine: EmbeddedEngine) -> JSONValue { [:] }
  func remove(_ run: ActRun) async throws {}
  func forget(_ db: Database, uid: String) throws {}
}
