internal import DiskImage
internal import EngineInterface
internal import GRDB
internal import JSON
internal import Monitor
internal import Resources
internal import SystemIO

/// A virtual machine: its directory, its own disks, its seed, and the guest while it runs.
struct MachineHandler: ResourceHandler {
  func reserve(_ db: Database, _ change: Change, in engine: EmbeddedEngine) throws {
    guard let after = change.after else { return }
    let spec = try MachineSpecification(after.spec)
    for interface in spec.interfaces {
      _ = try StoredResource.require(db, ResourceID(.network, interface.network))
      for group in interface.securityGroups {
        _ = try StoredResource.require(db, ResourceID(.securityGroup, group))
      }
    }
    var row = try StoredMachine.find(db, change.uid) ?? StoredMachine(uid: change.uid)
    if change.verb == .replace {
      row.instance += 1
      row.replacing = row.isDown && row.replacing != .guest ? .halted : .guest
    } else if let before = change.before, !row.isDown {
      // What is in effect in a running guest, from the moment that it differs; a guest that its
      // monitor restarted meanwhile has what was staged before.
      let running = try engine.runningMark(change.uid)
      if row.runningSpec == nil
        || change.changesWhole && running?.specification == before.resource.mark(before.generation)
      {
        row.runningSpec = before.resource.spec
        row.runningInputs = before.inputs
      }
    }
    try engine.reserveMACs(db, spec, row)
    try engine.reserveAddresses(db, spec, row, change.id)
    try engine.reservePorts(db, spec, uid: change.uid)
    try engine.reserveDisks(db, spec, change)
    // A guest that was started on a disk that another takes the place of must not go on.
    if row.replacing == .no, !row.isDown,
      try StoredDisk.owned(by: change.uid, db).contains(where: \.isRetired)
    {
      row.replacing = .guest
    }
    try row.save(db)
  }

  func carryOut(_ run: ActRun) async throws -> ActOutcome {
    let engine = run.engine
    let change = run.change
    guard let after = change.after else { return ActOutcome() }
    let spec = try MachineSpecification(after.spec)
    let isRunning = try await engine.offload { try engine.isRunning(change.uid) }
    // Also where an earlier act was to make it anew and was cut short.
    let replacing = try await engine.offload {
      try engine.store.read { db in try StoredMachine.require(db, change.uid).replacing }
    }
    try await run.step("directory") {
      try makeDirectories(engine.home.machine(change.uid), permissions: 0o700)
    }
    try await run.step("disks") {
      try engine.makeMachineDisks(change.uid, spec, keepsOld: replacing != .no)
    }
    try await run.step("seed") { try engine.writeSeed(change, spec) }
    let networks = try await engine.offload { try engine.networks(concernedBy: change) }
    if !networks.isEmpty {
      try await run.step("networks") {
        for network in networks { try engine.publish(network) }
      }
    }
    if replacing != .no {
      return try await exchange(run, spec, hadGuest: replacing == .guest)
    }
    if change.verb != .replace, change.before != nil, isRunning {
      return try await changeRunning(run, spec)
    }
    try await run.step("configuration") {
      try engine.writeConfiguration(change.uid, after, generation: change.nextGeneration)
    }
    return try await follow(spec.runStrategy, run, grace: spec.terminationGracePeriod)
  }

  /// Brings a machine to what its run strategy asks for, as the planner sees it too: so that the
  /// next plan has nothing to start or stop.
  private func follow(
    _ strategy: MachineSpecification.RunStrategy, _ run: ActRun, grace: Int
  ) async throws -> ActOutcome {
    let engine = run.engine
    let change = run.change
    let row = try await engine.offload {
      try engine.store.read { db in try StoredMachine.require(db, change.uid) }
    }
    let isMade = change.verb != .update || !change.changesWhole
    switch strategy {
    case .always where row.isDown || isMade: return try await startNew(run)
    case .rerunOnFailure where row.state == .crashed || isMade: return try await startNew(run)
    case .halted where !row.isDown:
      try await run.step("stop") { try engine.bringDown(change.uid, grace: grace) }
      return ActOutcome(effect: .restart)
    case .always, .rerunOnFailure, .halted, .manual: return ActOutcome()
    }
  }

  /// Starts a machine; one that won't start stays, to be looked at.
  private func startNew(_ run: ActRun) async throws -> ActOutcome {
    let engine = run.engine
    let uid = run.uid
    // One that won't start counts as made all the same.
    let problem = StepResult<EngineError>()
    try await run.step("start") {
      do {
        try engine.start(uid)
      } catch {
        problem.set(EngineError.wrapping(error))
      }
    }
    guard let problem = problem.value else { return ActOutcome(effect: .none) }
    let done = run.change.verb == .update ? "changed" : "made"
    return ActOutcome(
      effect: .none, notes: ["\(run.change.id) is \(done) but does not start: \(problem.message)"])
  }

  /// The guest on the old disks makes way for one on the new ones, which are made by now; the old
  /// ones go when the new guest has started, or where there is none to start.
  private func exchange(
    _ run: ActRun, _ spec: MachineSpecification, hadGuest: Bool
  ) async throws -> ActOutcome {
    let engine = run.engine
    let change = run.change
    guard let after = change.after else { return ActOutcome() }
    try await run.step("stop") {
      try engine.bringDown(change.uid, grace: spec.terminationGracePeriod)
    }
    try await run.step("configuration") {
      try engine.writeConfiguration(change.uid, after, generation: change.nextGeneration)
    }
    let starts =
      switch spec.runStrategy {
      case .always, .rerunOnFailure: true
      case .manual: hadGuest
      case .halted: false
      }
    if starts { try await run.step("start") { try engine.start(change.uid) } }
    try await run.step("old disks") {
      try engine.removeRetired(change.uid)
      try engine.store.write { db in
        var row = try StoredMachine.require(db, change.uid)
        row.replacing = .no
        try row.save(db)
      }
    }
    return ActOutcome(effect: hadGuest ? .replace : .none)
  }

  /// Changes a running machine: what can be at once, the rest with the next boot, which comes now
  /// where the act allows it.
  private func changeRunning(
    _ run: ActRun, _ spec: MachineSpecification
  ) async throws -> ActOutcome {
    let engine = run.engine
    let change = run.change
    guard let after = change.after else { return ActOutcome() }
    let result = StepResult<LiveOutcome>()
    try await run.step("live") {
      if let live = try engine.changeLive(change, to: after, spec) { result.set(live) }
    }
    let begunAnew = StepResult<Void>()
    try await run.step("configuration") {
      try engine.writeConfiguration(change.uid, after, generation: change.nextGeneration)
      guard let live = result.value, spec.runStrategy != .halted,
        try engine.hasBegunBefore(change, changed: live.guest)
      else { return }
      // It is in the first moments of its boot.
      try engine.bringDown(change.uid, grace: 0)
      try engine.start(change.uid)
      begunAnew.set(())
    }
    guard let live = result.value, spec.runStrategy != .halted else {
      return try await follow(spec.runStrategy, run, grace: spec.terminationGracePeriod)
    }
    if begunAnew.value != nil { return ActOutcome(effect: live.effect, notes: live.notes) }
    if change.restart, !live.staged.isEmpty {
      try await run.step("restart") {
        try engine.bringDown(change.uid, grace: spec.terminationGracePeriod)
        try engine.start(change.uid)
      }
      return ActOutcome(effect: .restart)
    }
    return ActOutcome(effect: live.effect, staged: live.staged, notes: live.notes)
  }

  func details(
    _ db: Database, _ change: Change, in engine: EmbeddedEngine
  ) throws -> JSONValue {
    let disks = try StoredDisk.owned(by: change.uid, db).filter { !$0.isRetired }
    let declared = try change.after.map { try MachineSpecification($0.spec).interfaces } ?? []
    let interfaces = Set(declared.map(\.name))
    return [
      "directory": .string(engine.home.machine(change.uid)),
      "macs": try object(
        Allocation.all(db, .mac, owner: change.uid).filter { interfaces.contains($0.key) }),
      "ports": try object(Allocation.all(db, .port, owner: change.uid)),
      "disks": .array(
        disks.map {
          [
            "name": .string($0.name), "path": .string($0.path),
            "format": .string($0.format.rawValue),
            "virtualSize": .integer(Int64($0.virtualSize)), "image": JSONValue($0.image),
          ]
        }),
    ]
  }

  private func object(_ values: [String: String]) -> JSONValue {
    let members = values.sorted { $0.key < $1.key }
    return .object(
      JSONObject(members: members.map { .init(name: $0.key, value: .string($0.value)) }))
  }

  func remove(_ run: ActRun) async throws {
    let engine = run.engine
    let uid = run.uid
    let spec = run.change.before?.resource.spec ?? run.change.after?.spec ?? [:]
    // A damaged specification must not keep a machine from being removed.
    let grace = (try? MachineSpecification(spec))?.terminationGracePeriod ?? 30
    try await run.step("stop") { try engine.bringDown(uid, grace: grace) }
    try await run.step("files") {
      try engine.removeDisks(ownedBy: uid)
      try removeTree(engine.home.machine(uid))
      try synchronizeDirectory(engine.home.machines)
    }
  }

  func forget(_ db: Database, uid: String) throws {
    for disk in try StoredDisk.owned(by: uid, db) { try disk.delete(db) }
    try Allocation.free(db, owner: uid)
    try StoredMachine.delete(db, uid)
  }
}

extension Change {
  /// The generation the resource has when the act is finished.
  var nextGeneration: Int64 {
    before.map { $0.phase == .ready ? $0.generation + 1 : $0.generation } ?? 1
  }
}
