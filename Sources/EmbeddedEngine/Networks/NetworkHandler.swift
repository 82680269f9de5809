internal import EngineInterface
internal import GRDB
internal import Glibc
internal import JSON
internal import Resources
internal import SystemIO

/// A network.
///
/// In mode `user` QEMU itself is the network, so that it is a part of how each machine on it is
/// started. In the other modes it is processes of its own: its supervisor has them, by the file that
/// `publish` writes.
struct NetworkHandler: ResourceHandler {
  func reserve(_ db: Database, _ change: Change, in engine: EmbeddedEngine) throws {
    guard let after = change.after else { return }
    let spec = try NetworkSpecification(after.spec)
    if spec.mode == .bridge { try requireBridge(spec.bridge, change.id) }
    try engine.reserveSubnets(db, spec, change.id, uid: change.uid)
    let network = try StoredNetwork(db, change.id.name, about: spec)
    let before = change.before?.resource.networkDefinition
    for user in try engine.machines(on: change.id, db) {
      guard var machine = user.machine else { continue }
      if let before, before != after.networkDefinition, !machine.isDown {
        try engine.keepDefinition(before, of: change.id, for: &machine, user.stored, db)
        try machine.save(db)
      }
      try engine.reserveAddresses(
        db, MachineSpecification(user.stored.resource.spec), machine, user.stored.id, on: network)
    }
  }

  private func requireBridge(_ bridge: String?, _ id: ResourceID) throws {
    guard geteuid() == 0 else {
      throw EngineError(
        "denied", "\(id) is of mode bridge, which only root can plug guests into",
        help: "run ingot as root, or set spec.mode to nat")
    }
    let name = bridge ?? ""
    guard !name.isEmpty, !name.contains("/"), fileExists("/sys/class/net/\(name)/bridge") else {
      throw EngineError(
        "not-found", "the bridge '\(name)' of \(id) is not there",
        help: "make it, as with `ip link add \(name) type bridge`, or name another one")
    }
  }

  func carryOut(_ run: ActRun) async throws -> ActOutcome {
    guard let after = run.change.after else { return ActOutcome() }
    let change = run.change
    let engine = run.engine
    let mode = try NetworkSpecification(after.spec).mode
    if mode == .user {
      try await stop(run, isForGood: true)
    } else {
      let isElsewhere = try await engine.offload {
        try engine.isToBeElsewhere(change.id.name, uid: change.uid)
      }
      // The guests on it are plugged into the new one by their monitors.
      if isElsewhere { try await stop(run, isForGood: false) }
      try await run.step("directory") { try engine.makeNetworkDirectory(change.uid) }
      try await run.step("network") { try engine.publish(change.id.name) }
    }
    return try await tellMachines(run, to: after)
  }

  /// Ends what a network is made of, as far as it is.
  private func stop(_ run: ActRun, isForGood: Bool) async throws {
    let engine = run.engine
    let uid = run.uid
    guard fileExists(engine.home.network(uid)) else { return }
    try await run.step("stop") { try engine.stopNetwork(uid) }
    if isForGood { try await run.step("files") { try engine.removeNetworkDirectory(uid) } }
  }

  /// What the next start of each machine on it will run is written; running guests stay as they are.
  private func tellMachines(_ run: ActRun, to after: Resource) async throws -> ActOutcome {
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
    guard guests.value ?? 0 > 0 else { return ActOutcome() }
    let before = change.before?.resource ?? after
    let differences = Schema.table(for: .network).differences(from: before.spec, to: after.spec)
    let defined = Schema.table(for: .network)
      .differences(from: before.networkDefinition, to: after.networkDefinition).map(\.path)
    // What a guest gets of it at its start waits for that; the rest is the network's alone.
    let staged = differences.filter { $0.effect == .nextBoot && defined.contains($0.path) }
      .map(\.path)
    if !staged.isEmpty { return ActOutcome(effect: .nextBoot, staged: staged) }
    return ActOutcome(effect: differences.contains { $0.effect > .none } ? .live : .none)
  }

  func details(_ db: Database, _ change: Change, in engine: EmbeddedEngine) -> JSONValue { [:] }

  func remove(_ run: ActRun) async throws {
    let engine = run.engine
    let uid = run.uid
    try await run.step("stop") { try engine.stopNetwork(uid) }
    try await run.step("files") { try engine.removeNetworkDirectory(uid) }
  }

  func forget(_ db: Database, uid: String) throws { try Allocation.free(db, owner: uid) }
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
