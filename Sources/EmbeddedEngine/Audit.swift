internal import EngineInterface
internal import GRDB
internal import Monitor
internal import Resources
internal import SystemIO

/// Something that is there without its counterpart.
public struct Inconsistency: Sendable, Hashable, CustomStringConvertible {
  /// What stands alone: a path, a process, a row.
  public var object: String
  /// What is missing or wrong about it.
  public var problem: String

  /// Both in a sentence.
  public var description: String { "\(object): \(problem)" }
}

extension EmbeddedEngine {
  /// Compares the store with the world, both ways; empty when all is well.
  ///
  /// Acts under way show as well: to be called when no command runs.
  ///
  /// - Throws: `EngineError` where the store or a directory can't be read.
  public func audit() async throws -> [Inconsistency] {
    try await wrapped("audit the engine") { [self] in
      let facts = try store.read(AuditFacts.init)
      return try auditRows(facts) + auditPools(facts) + auditImages(facts) + auditMachines(facts)
        + auditNetworks(facts.resources) + auditLocks(facts)
    }
  }

  private func auditRows(_ facts: AuditFacts) throws -> [Inconsistency] {
    var found: [Inconsistency] = []
    for row in facts.resources where row.phase != .ready {
      found.append(.init(object: "\(row.id)", problem: row.reason ?? row.phase.rawValue))
    }
    for intent in facts.intents {
      found.append(
        .init(object: "\(intent.id)", problem: "an intent to \(intent.verb) it is in the journal"))
    }
    for row in facts.resources where row.id.kind == .virtualMachine {
      if facts.machines[row.uid] == nil {
        found.append(.init(object: "\(row.id)", problem: "it has no row in machines"))
      }
      if !fileExists(home.machine(row.uid)) {
        found.append(.init(object: "\(row.id)", problem: "it has no directory"))
      }
    }
    let owners = Set(facts.resources.map(\.uid))
    for owner in (facts.owners + facts.machines.keys.sorted()) where !owners.contains(owner) {
      found.append(.init(object: owner, problem: "rows belong to it, but it is not there"))
    }
    for disk in facts.disks where !fileExists(disk.path) {
      found.append(.init(object: disk.path, problem: "the disk's file is missing"))
    }
    return found
  }

  private func auditPools(_ facts: AuditFacts) throws -> [Inconsistency] {
    var found: [Inconsistency] = []
    let known = Set(facts.disks.map(\.path))
    var paths: Set<String> = []
    for row in facts.resources where row.id.kind == .storagePool {
      let path = try poolPath(of: row.resource)
      paths.insert(path)
      guard fileExists(path) else {
        if !row.isBuiltIn {
          found.append(.init(object: path, problem: "the directory of \(row.id) is missing"))
        }
        continue
      }
      // Others may keep their files in a directory that is not ours.
      let isOurs = path.hasPrefix(home.path + "/")
      for name in try namesInDirectory(path) where name != Self.poolMarker {
        let file = "\(path)/\(name)"
        let looksOurs = name.utf8.count >= 40 && name.contains(".")
        if !known.contains(file), isOurs || looksOurs {
          found.append(.init(object: file, problem: "no disk has this file"))
        }
      }
    }
    for name in try namesInDirectory(home.pools) where !paths.contains(home.defaultPool(name)) {
      found.append(.init(object: home.defaultPool(name), problem: "no pool has this directory"))
    }
    return found
  }

  private func auditImages(_ facts: AuditFacts) throws -> [Inconsistency] {
    var found: [Inconsistency] = []
    let digests = Set(facts.images)
    for name in try namesInDirectory(home.images) where !digests.contains(name) {
      found.append(.init(object: home.image(name), problem: "no image has this directory"))
    }
    for digest in facts.images {
      if !fileExists(home.image(digest)) {
        found.append(.init(object: home.image(digest), problem: "the image's files are missing"))
      }
      if facts.unusedImages.contains(digest) {
        found.append(.init(object: home.image(digest), problem: "nothing uses this image"))
      }
    }
    return found
  }

  private func auditMachines(_ facts: AuditFacts) throws -> [Inconsistency] {
    var found: [Inconsistency] = []
    for uid in try namesInDirectory(home.machines) {
      guard let row = facts.machines[uid] else {
        found.append(.init(object: home.machine(uid), problem: "no machine has this directory"))
        continue
      }
      let report = try report(MachineDirectory(home.machine(uid)))
      if case .running(let record) = report.guest, row.isDown {
        found.append(
          .init(object: "process \(record.process.pid)", problem: "a guest of a halted machine"))
      }
      if report.hasMonitor, row.isDown {
        found.append(
          .init(object: home.machine(uid), problem: "a monitor of a halted machine runs"))
      }
    }
    return found
  }

  private func auditLocks(_ facts: AuditFacts) throws -> [Inconsistency] {
    try Session.sweep(home)
    let mine = try currentSession().id
    return try namesInDirectory(home.sessions).filter { $0 != mine }.map {
      Inconsistency(object: home.session($0), problem: "another engine has begun acts")
    }
  }

  /// Ends all guests and networks at once, for tests that clear up.
  package func killEverything() throws {
    for row in try store.read(StoredMachine.notDown) { try bringDown(row.uid, grace: 0) }
    for uid in try namesInDirectory(home.networks) { try stopNetwork(uid) }
  }
}

/// All rows that an audit compares.
private struct AuditFacts {
  var resources: [StoredResource]
  var machines: [String: StoredMachine]
  var disks: [StoredDisk]
  var images: [String]
  var unusedImages: Set<String>
  var intents: [Intent]
  /// Owners of disks, allocations and uses.
  var owners: [String]

  init(_ db: Database) throws {
    resources = try StoredResource.all(db).sorted { $0.id < $1.id }
    machines = try StoredMachine.all(db)
    disks = try StoredDisk.all(db)
    images = try StoredImage.allDigests(db)
    unusedImages = Set(try StoredImage.unused(db))
    intents = try Intent.all(db)
    owners = try db.rows(
      sql: """
        SELECT owner FROM disks UNION SELECT owner FROM allocations UNION SELECT owner FROM uses
        """
    ).map { try StrictRow($0, of: "disks").text(0) }
  }
}
