internal import DiskImage
internal import EngineInterface
internal import GRDB
internal import JSON
internal import Resources
internal import SystemIO

/// A disk with a life of its own: one file in a storage pool.
struct VolumeHandler: ResourceHandler {
  func reserve(_ db: Database, _ change: Change, in engine: EmbeddedEngine) throws {
    guard let after = change.after else { return }
    let wanted = try disk(db, change, after, in: engine)
    if change.adopts != nil, change.changesWhole {
      throw EngineError(
        "exists", "there is a \(change.id) already", help: "import it under another name")
    }
    guard let disk = try current(db, change.uid) else {
      return try wanted.insert(db)
    }
    if change.verb == .replace, disk.path != wanted.path {
      try disk.retire(db)
      // It may have been there before, in an act that was cut short.
      for old in try StoredDisk.owned(by: change.uid, db) where old.path == wanted.path {
        try old.delete(db)
      }
      return try wanted.insert(db)
    }
    // One that was never whole holds nothing.
    if change.verb == .replace || !disk.isMade {
      try disk.delete(db)
      return try wanted.insert(db)
    }
    try EmbeddedEngine.grownSize(of: disk, to: wanted.virtualSize, what: "\(change.id)")
    guard disk.pool == wanted.pool, disk.format == wanted.format else {
      throw EngineError(
        "unsupported", "the pool and the format of \(change.id) can't change",
        help: "declare a new volume and copy the data")
    }
  }

  /// The volume's disk, without one that it has replaced.
  private func current(_ db: Database, _ uid: String) throws -> StoredDisk? {
    try StoredDisk.owned(by: uid, db).first { !$0.isRetired }
  }

  private func disk(
    _ db: Database, _ change: Change, _ after: Resource, in engine: EmbeddedEngine
  ) throws -> StoredDisk {
    let spec = try VolumeSpecification(after.spec)
    guard let format = DiskFormat(rawValue: spec.format) else {
      throw EngineError("invalid", "the format '\(spec.format)' of \(change.id) is unknown")
    }
    let path = try engine.diskPath(
      db, pool: spec.pool, uid: change.uid, format: spec.format)
    // The uid of one that is to be removed is taken for a moment.
    let isTaken = try StoredDisk.owned(by: change.uid, db).contains { $0.path != path }
    return StoredDisk(
      uid: isTaken ? engine.host.makeUUID() : change.uid, owner: change.uid, name: "",
      pool: spec.pool,
      path: path, format: format,
      virtualSize: try EmbeddedEngine.diskSize(spec.size, of: "\(change.id)"))
  }

  func carryOut(_ run: ActRun) async throws -> ActOutcome {
    guard let after = run.change.after else { return ActOutcome() }
    let engine = run.engine
    let change = run.change
    if let adoption = change.adopts {
      try await adopt(adoption, run)
    } else {
      try await run.step("file") {
        for disk in try engine.disks(ownedBy: change.uid) where !disk.isRetired {
          try engine.makeDisk(disk, backing: nil, anew: !disk.isMade)
        }
      }
    }
    let disks = try await engine.offload { try engine.disks(ownedBy: change.uid) }
    if disks.contains(where: \.isRetired) {
      try await run.step("old file") { try engine.removeRetired(change.uid) }
    }
    let size = try EmbeddedEngine.diskSize(VolumeSpecification(after.spec).size, of: "\(change.id)")
    guard let disk = disks.first(where: { !$0.isRetired }) else { return ActOutcome() }
    // By its file too, which somebody may have made smaller.
    let actual = try await engine.offload { try engine.actualSize(disk) ?? 0 }
    guard min(disk.virtualSize, actual) < size else { return ActOutcome() }
    try await run.step("grow") { try engine.grow(disk, to: size) }
    return ActOutcome(effect: .live)
  }

  /// Takes an image from outside for the file; a copy can be cancelled.
  private func adopt(_ adoption: DiskAdoption, _ run: ActRun) async throws {
    let isCancelled = CancelledFlag()
    try await run.asyncStep("file") {
      try await withTaskCancellationHandler {
        try await run.engine.offload {
          for disk in try run.engine.disks(ownedBy: run.uid) where !disk.isMade {
            try run.engine.adoptDisk(disk, adoption, isCancelled, progress: run.progress)
          }
        }
      } onCancel: {
        isCancelled.set()
      }
    }
  }

  func details(
    _ db: Database, _ change: Change, in engine: EmbeddedEngine
  ) throws -> JSONValue {
    guard let disk = try current(db, change.uid) else { return [:] }
    return [
      "path": .string(disk.path), "format": .string(disk.format.rawValue),
      "virtualSize": .integer(Int64(disk.virtualSize)),
    ]
  }

  func remove(_ run: ActRun) async throws {
    try await run.step("file") { [engine = run.engine, uid = run.uid] in
      try engine.removeDisks(ownedBy: uid)
    }
  }

  func forget(_ db: Database, uid: String) throws {
    for disk in try StoredDisk.owned(by: uid, db) { try disk.delete(db) }
  }
}

extension EmbeddedEngine {
  /// The disks of a volume or a machine.
  func disks(ownedBy owner: String) throws -> [StoredDisk] {
    try store.read { db in try StoredDisk.owned(by: owner, db) }
  }

  /// Removes the disks that others have taken the place of.
  func removeRetired(_ owner: String) throws {
    for disk in try disks(ownedBy: owner) where disk.isRetired {
      try removeDisk(disk)
      try store.write { db in try disk.delete(db) }
    }
  }

  /// Grows a disk, in the guest that has it open or in its file, and records the size.
  func grow(_ disk: StoredDisk, to size: Int) throws {
    if try !growInGuest(disk, to: size) { try growDisk(disk, to: size) }
    try store.write { db in try StoredDisk.setSize(db, uid: disk.uid, to: size) }
  }
}
