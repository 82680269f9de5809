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

  func carryOut(_ run: ActRun) async throws -> ActOutcome { ActOutcome(effect: .live) }
  func details(_ db: Database, _ change: Change, in engine: EmbeddedEngine) -> JSONValue { [:] }
  func remove(_ run: ActRun) async throws {}
  func forget(_ db: Database, uid: String) throws {}
}

/// A network; in mode `user` it is nothing but its row, since QEMU itself is the network.
struct NetworkHandler: ResourceHandler {
  static let otherModes = "this engine provides mode user only; set spec.mode to user"

  func reserve(_ db: Database, _ change: Change, in engine: EmbeddedEngine) throws {
    guard let after = change.after else { return }
    let mode = try NetworkSpecification(after.spec).mode
    guard mode == .user else {
      throw EngineError(
        "unsupported", "mode \(mode.rawValue) of \(change.id) is not provided by this engine",
        help: Self.otherModes)
    }
  }

  func carryOut(_ run: ActRun) async throws -> ActOutcome {
    ActOutcome(effect: run.change.changesWhole ? .nextBoot : .none)
  }

  func details(_ db: Database, _ change: Change, in engine: EmbeddedEngine) -> JSONValue { [:] }
  func remove(_ run: ActRun) async throws {}
  func forget(_ db: Database, uid: String) throws {}
}
