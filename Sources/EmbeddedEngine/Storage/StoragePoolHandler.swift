internal import EngineInterface
internal import GRDB
internal import Glibc
internal import JSON
internal import Resources
internal import Synchronization
internal import SystemIO

/// A directory that holds disk files, with a marker that says whose it is.
struct StoragePoolHandler: ResourceHandler {
  func reserve(_ db: Database, _ change: Change, in engine: EmbeddedEngine) throws {
    guard let after = change.after else { return }
    let path = try engine.poolPath(of: after)
    if let before = change.before {
      let old = try engine.poolPath(of: before.resource)
      let hasDisks = try !StoredDisk.inPool(change.id.name, db).isEmpty
      if old != path, hasDisks || before.phase == .ready {
        throw EngineError(
          "unsupported", "the directory of \(change.id) can't change from \(old) to \(path)",
          help: "declare a second pool with that path and move the volumes")
      }
    }
    for other in try StoredResource.all(db, kind: .storagePool) where other.id != change.id {
      if try engine.poolPath(of: other.resource) == path {
        throw EngineError(
          "in-use", "the directory \(path) is that of \(other.id)", help: "choose another directory"
        )
      }
    }
  }

  func carryOut(_ run: ActRun) async throws -> ActOutcome {
    guard let after = run.change.after else { return ActOutcome() }
    try await run.step("directory") { [engine = run.engine, uid = run.uid] in
      try engine.makePool(after, uid: uid)
    }
    return ActOutcome()
  }

  func details(
    _ db: Database, _ change: Change, in engine: EmbeddedEngine
  ) throws -> JSONValue {
    guard let after = change.after else { return [:] }
    return ["path": .string(try engine.poolPath(of: after))]
  }

  func remove(_ run: ActRun) async throws {
    guard let resource = run.change.before?.resource ?? run.change.after else { return }
    try await run.step("directory") { [engine = run.engine, uid = run.uid] in
      let disks = try engine.store.read { db in try StoredDisk.inPool(resource.id.name, db) }
      guard disks.isEmpty else {
        throw EngineError(
          "in-use", "\(resource.id) holds \(disks.count) disks",
          help: "delete the volumes and machines in it first")
      }
      try engine.removePool(resource, uid: uid)
    }
  }

  func forget(_ db: Database, uid: String) throws {}
}

extension EmbeddedEngine {
  static let poolMarker = ".ingot-pool"

  /// The directory of a storage pool.
  func poolPath(of pool: Resource) throws -> String {
    guard var path = try StoragePoolSpecification(pool.spec).path else {
      return home.defaultPool(pool.id.name)
    }
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    guard path.hasPrefix("/"), !path.utf8.contains(0) else {
      throw EngineError(
        "invalid", "the path '\(path)' of \(pool.id) is not absolute",
        help: "give an absolute path in spec.path")
    }
    return path
  }

  /// Makes a pool's directory and marker; a directory that is there is used as it is.
  func makePool(_ pool: Resource, uid: String) throws {
    let path = try poolPath(of: pool)
    let marker = path + "/" + Self.poolMarker
    let content = poolMarkerContent(uid)
    if let owner = try poolOwner(path) {
      guard owner == content else {
        throw EngineError(
          "in-use", "the directory \(path) belongs to another pool, as \(marker) says",
          help: "choose another directory for \(pool.id)")
      }
      return
    }
    let holds = try store.read { db in
      try StoredDisk.inPool(pool.id.name, db).contains { $0.isMade }
    }
    guard !holds else {
      throw EngineError(
        "missing-data", "the directory \(path) of \(pool.id) is gone, or another is there",
        help: "put it back or mount it: it holds disks")
    }
    try makeDirectories(path, permissions: 0o700)
    try replaceFile(marker, with: Array(content.utf8))
    try synchronizeDirectory(directoryName(path))
  }

  /// Removes a pool's marker, and its directory where nothing else is in it.
  func removePool(_ pool: Resource, uid: String) throws {
    let path = try poolPath(of: pool)
    guard fileExists(path) else { return }
    // Without a marker it is one whose removal was cut short, or whose making was.
    if let owner = try poolOwner(path), owner != poolMarkerContent(uid) { return }
    try removeFile(path + "/" + Self.poolMarker)
    try removeFile(path + "/" + Self.poolMarker + ".partial")
    guard try namesInDirectory(path).isEmpty else { return }
    do {
      try removeTree(path)
    } catch  where error.errno == EBUSY {
      // A file system is mounted on it: it was there before the pool and stays.
    }
  }

  private func poolMarkerContent(_ uid: String) -> String {
    JSONValue.object(["engine": .string(store.engineID), "pool": .string(uid)]).text()
  }

  private func poolOwner(_ path: String) throws -> String? {
    do {
      let bytes = try readFile(path + "/" + Self.poolMarker, limit: 4096)
      return String(decoding: bytes, as: UTF8.self)
    } catch  where error.isNotFound {
      return nil
    }
  }

  /// Makes sure that a pool can take disks; the built-in one is made when it is first needed.
  func preparePool(_ name: String) throws {
    let row = try store.read { db in
      try StoredResource.require(db, ResourceID(.storagePool, name))
    }
    try poolMaking.withLock { _ in try makePool(row.resource, uid: row.uid) }
  }

  /// Where a disk that is about to be made will be.
  func diskPath(_ db: Database, pool: String, uid: String, format: String) throws -> String {
    let row = try StoredResource.require(db, ResourceID(.storagePool, pool))
    return try poolPath(of: row.resource) + "/\(uid).\(format)"
  }
}
