internal import EngineInterface
internal import GRDB
internal import JSON
internal import Resources
internal import SystemIO

/// A network; in mode `user` QEMU itself is the network, so that it is a part of how each machine on
/// it is started.
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
    guard let before = change.before?.resource.networkDefinition,
      before != after.networkDefinition
    else { return }
    for user in try engine.machines(on: change.id, db) where user.machine?.isDown == false {
      guard var machine = user.machine else { continue }
      try engine.keepDefinition(before, of: change.id, for: &machine, user.stored, db)
      try machine.save(db)
    }
  }

  /// What the next start of each machine on it will run is written; running guests stay as they are.
  func carryOut(_ run: ActRun) async throws -> ActOutcome {
    guard let after = run.change.after else { return ActOutcome() }
    let change = run.change
    let guests = StepResult<Int>()
    try await run.step("machines") { [engine = run.engine] in
      let users = try engine.store.read { db in try engine.machines(on: change.id, db) }
      for user in users where user.stored.phase == .ready {
        try engine.writeConfiguration(
          user.stored.uid, user.stored.resource, generation: user.stored.generation,
          changing: after)
      }
      guests.set(users.count { $0.machine?.isDown == false })
    }
    let staged = Schema.table(for: .network)
      .differences(from: change.before?.resource.spec ?? after.spec, to: after.spec)
      .filter { $0.effect == .nextBoot }.map(\.path)
    guard guests.value ?? 0 > 0, !staged.isEmpty else { return ActOutcome() }
    return ActOutcome(effect: .nextBoot, staged: staged)
  }

  func details(_ db: Database, _ change: Change, in engine: EmbeddedEngine) -> JSONValue { [:] }
  func remove(_ run: ActRun) async throws {}
  func forget(_ db: Database, uid: String) throws {}
}

extension EmbeddedEngine {
  /// The machines with an interface on a network.
  func machines(
    on network: ResourceID, _ db: Database
  ) throws -> [(stored: StoredResource, machine: StoredMachine?)] {
    try StoredResource.require(db, network).users(db).map { id in
      let stored = try StoredResource.require(db, id)
      return (stored, try StoredMachine.find(db, stored.uid))
    }
  }

  /// Keeps what a network was defined as for the interfaces that a guest has on it, unless it had
  /// them before an earlier change.
  fileprivate func keepDefinition(
    _ definition: JSONValue, of network: ResourceID, for machine: inout StoredMachine,
    _ stored: StoredResource, _ db: Database
  ) throws {
    let declared = try MachineSpecification(stored.resource.spec)
    let isCurrent = try runningMark(stored.uid).map {
      try $0.networks == definitions(of: declared, db).mark
    }
    // A guest that its monitor restarted has what was stored.
    if isCurrent == true { machine.runningNetworks = nil }
    let spec = try machine.runningSpec.map { try MachineSpecification($0) } ?? declared
    var kept = machine.runningNetworks ?? [:]
    for interface in spec.interfaces
    where interface.network == network.name && kept[interface.name] == nil {
      kept[interface.name] = definition
    }
    machine.runningNetworks = kept
  }

  /// What a machine's networks are defined as by the store.
  func definitions(
    of machine: MachineSpecification, _ db: Database
  ) throws -> NetworkDefinitions {
    try NetworkDefinitions(machine) { name in
      try StoredResource.find(db, ResourceID(.network, name))?.resource.networkDefinition
    }
  }

  /// The interfaces of a running guest whose networks have been changed since it got them, by path.
  func outdatedNetworks(
    of machine: StoredMachine, _ running: StartMark, _ spec: MachineSpecification
  ) throws -> [String] {
    guard machine.runningNetworks != nil else { return [] }
    return try store.read { db in try definitions(of: spec, db) }.outdated(in: running, machine)
  }
}
