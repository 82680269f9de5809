internal import EngineInterface
internal import GRDB
internal import Glibc
internal import SystemIO

/// The state database: the truth about everything the engine holds.
///
/// All calls block. Write-ahead logging with full synchronisation: a committed change survives a
/// power cut, and readers never wait for writers.
struct Store: Sendable {
  private let pool: DatabasePool
  private let commits: GroupCommit
  /// Names this store for as long as it exists.
  let engineID: String

  /// How long a change waits for another process's, in seconds.
  private static let patience = 20.0

  /// Opens the database, made where it is missing, and brings its schema up to date.
  ///
  /// - Throws: `EngineError`: `store-corrupt`, `newer-store`, `denied`, `no-space`.
  init(_ path: String, host: HostContext) throws {
    do {
      if !fileExists(path) {
        // Made here so that the rights are right from the first byte; SQLite gives its side
        // files the same.
        _ = try Descriptor.open(path, [.readWrite, .create], permissions: 0o600)
      }
      var configuration = Configuration()
      configuration.busyMode = .timeout(Self.patience)
      configuration.maximumReaderCount = 4
      pool = try DatabasePool(path: path, configuration: configuration)
      // Only now: a pool sets NORMAL, which a power cut may cost the last commits.
      try pool.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA synchronous = FULL") }
      commits = GroupCommit(pool)
      engineID = try Self.prepare(pool, host: host)
    } catch {
      throw EngineError.wrapping(error, doing: "open \(path)")
    }
  }

  private static func prepare(_ pool: DatabasePool, host: HostContext) throws -> String {
    let migrator = makeMigrator()
    let state = try pool.read { db in
      (
        isNewer: try migrator.hasBeenSuperseded(db),
        isCurrent: try migrator.hasCompletedMigrations(db)
      )
    }
    if state.isNewer {
      throw EngineError(
        "newer-store", "a newer ingot has written it",
        help: "use that version of ingot, or another engine directory")
    }
    if !state.isCurrent { try lastingStep("commit of the schema") { try migrator.migrate(pool) } }
    if let id = try pool.read({ db in try readIdentity(db) }) { return id }
    return try lastingStep("commit of the first rows") {
      try pool.write { db in try begin(db, host: host) }
    }
  }

  /// Gives the store its identity and the resources that are always there.
  private static func begin(_ db: Database, host: HostContext) throws -> String {
    // Another process may have been faster.
    if let id = try readIdentity(db) { return id }
    let id = host.makeUUID()
    try db.execute(sql: "INSERT INTO engine VALUES (1, ?, 1)", arguments: [id])
    for resource in builtInResources() {
      try StoredResource(
        resource, uid: host.makeUUID(), created: host.now().seconds, phase: .ready,
        isBuiltIn: true
      ).insert(db)
    }
    return id
  }

  private static func readIdentity(_ db: Database) throws -> String? {
    guard let row = try Row.fetchOne(db, sql: "SELECT id FROM engine") else { return nil }
    let id = try StrictRow(row, of: "engine").text(0)
    guard id.utf8.count == 36 else { throw corruptRow("engine", "the id '\(id)' is no UUID") }
    return id
  }

  /// Reads in one snapshot.
  func read<Result>(_ body: (Database) throws -> Result) throws -> Result {
    do {
      return try pool.read(body)
    } catch {
      throw EngineError.wrapping(error)
    }
  }

  /// Changes all or nothing; durable when it returns.
  ///
  /// Changes of several threads may share one transaction: a body must not wait for another's.
  ///
  /// - Parameter place: names the change to whoever watches lasting steps.
  func write<Result: Sendable>(
    at place: String = #function, _ body: @escaping @Sendable (Database) throws -> Result
  ) throws -> Result {
    do {
      return try lastingStep("commit of \(place)") { try commits.write(body) }
    } catch {
      throw EngineError.wrapping(error)
    }
  }

  /// How far a commit is synchronised; 2 is FULL (SQLite's `PRAGMA synchronous`).
  func synchronisation() throws -> Int {
    try pool.writeWithoutTransaction { db in
      try Int.fetchOne(db, sql: "PRAGMA synchronous") ?? 0
    }
  }

  /// As `write`, for changes that make saved plans stale.
  func change<Result: Sendable>(
    at place: String = #function, _ body: @escaping @Sendable (Database) throws -> Result
  ) throws -> Result {
    try write(at: place) { db in
      let result = try body(db)
      try db.run(sql: "UPDATE engine SET generation = generation + 1")
      return result
    }
  }

  /// The number of changes so far.
  static func generation(_ db: Database) throws -> Int64 {
    guard let row = try Row.fetchOne(db, sql: "SELECT generation FROM engine") else {
      throw corruptRow("engine", "it is missing")
    }
    return try StrictRow(row, of: "engine").integer(0)
  }

  /// A fact that was found out before.
  func fact(_ name: String) throws -> String? {
    try read { db in
      try db.row(sql: "SELECT value FROM facts WHERE name = ?", arguments: [name])
        .map { try StrictRow($0, of: "facts").text(0) }
    }
  }

  /// Keeps a fact that never changes, unless another process was faster; answers what is kept.
  func keepFirstFact(_ name: String, _ value: String) throws -> String {
    try write { db in
      try db.execute(
        sql: "INSERT OR IGNORE INTO facts VALUES (?, ?)", arguments: [name, value])
    }
    return try fact(name) ?? value
  }

  /// Keeps a fact.
  func setFact(_ name: String, _ value: String) throws {
    try write { db in
      try db.execute(
        sql: "INSERT OR REPLACE INTO facts VALUES (?, ?)", arguments: [name, value])
    }
  }
}
