internal import EngineInterface
internal import GRDB
internal import JSON
internal import Resources

/// A row of `journal`: an act that was begun and has not ended.
struct Intent: Sendable {
  var row: Int64
  var session: String
  var process: Int64
  var verb: String
  var id: ResourceID
  var uid: String
  var started: Int64
  /// The last step that is known to be done; nil before the first.
  var step: String?
  var data: JSONValue

  private static let columns = "id, session, process, verb, kind, name, uid, started, step, data"

  private init(_ row: Row) throws {
    let row = StrictRow(row, of: "journal")
    self.row = try row.integer(0)
    session = try row.text(1)
    process = try row.integer(2)
    verb = try row.text(3)
    id = ResourceID(try row.choice(4), try row.text(5))
    uid = try row.text(6)
    started = try row.integer(7)
    step = try row.optionalText(8)
    data = try row.json(9)
  }

  static func all(_ db: Database) throws -> [Intent] {
    try db.rows(sql: "SELECT \(columns) FROM journal ORDER BY id").map(Intent.init)
  }

  static func find(_ db: Database, _ id: ResourceID) throws -> Intent? {
    try db.row(
      sql: "SELECT \(columns) FROM journal WHERE kind = ? AND name = ?",
      arguments: [id.kind.rawValue, id.name]
    ).map(Intent.init)
  }

  /// What an act under way brings a resource to; nil where there is none, or it does not say.
  ///
  /// The row has it when the act is over: whoever makes something of several resources meanwhile
  /// must not take one of them back.
  static func pendingSpec(_ db: Database, _ id: ResourceID) throws -> JSONValue? {
    try find(db, id)?.data["spec"]
  }

  /// Commits to an act before its first step.
  static func begin(
    _ db: Database, session: String, process: Int32, verb: String, id: ResourceID, uid: String,
    now: Int64, data: JSONValue
  ) throws -> Int64 {
    try db.run(
      sql: """
        INSERT INTO journal (session, process, verb, kind, name, uid, started, data)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        session, process, verb, id.kind.rawValue, id.name, uid, now, data.text(),
      ])
    return db.lastInsertedRowID
  }

  static func record(_ db: Database, _ row: Int64, step: String) throws {
    try db.run(sql: "UPDATE journal SET step = ? WHERE id = ?", arguments: [step, row])
  }

  /// Keeps what a later step, or whoever clears up, has to know.
  static func setData(_ db: Database, _ row: Int64, _ data: JSONValue) throws {
    try db.run(
      sql: "UPDATE journal SET data = ? WHERE id = ?", arguments: [data.text(), row])
  }

  static func end(_ db: Database, _ row: Int64) throws {
    try db.run(sql: "DELETE FROM journal WHERE id = ?", arguments: [row])
  }
}
