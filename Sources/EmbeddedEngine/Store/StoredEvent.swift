internal import EngineInterface
internal import GRDB
internal import Resources

/// The rows of `events`.
enum StoredEvent {
  /// How many are kept; the oldest go first.
  static let retention: Int64 = 10_000

  static func add(
    _ db: Database, now: Int64, id: ResourceID?, reason: String, message: String
  ) throws {
    try db.run(
      sql: "INSERT INTO events (time, kind, name, reason, message) VALUES (?, ?, ?, ?, ?)",
      arguments: [now, id?.kind.rawValue, id?.name, reason, message])
    let last = db.lastInsertedRowID
    // Now and then is enough, and cheaper than with each.
    if last % 64 == 0 {
      try db.run(
        sql: "DELETE FROM events WHERE sequence <= ?", arguments: [last - retention])
    }
  }

  static func read(_ db: Database, after sequence: Int64, limit: Int) throws -> [EngineEvent] {
    try db.rows(
      sql: """
        SELECT sequence, time, kind, name, reason, message FROM events
        WHERE sequence > ? ORDER BY sequence LIMIT ?
        """, arguments: [sequence, max(0, limit)]
    ).map { row in
      let row = StrictRow(row, of: "events")
      var id: ResourceID?
      if let name = try row.optionalText(3) { id = ResourceID(try row.choice(2), name) }
      return EngineEvent(
        sequence: try row.integer(0), time: try row.integer(1), id: id, reason: try row.text(4),
        message: try row.text(5))
    }
  }
}
