internal import Diagnostics
internal import EngineInterface
internal import GRDB
internal import JSON
internal import Resources

/// The rows of `events`.
enum StoredEvent {
  /// How many are kept; the oldest go first.
  static let retention: Int64 = 10_000
  /// How long they are kept, in seconds: 90 days.
  static let age: Int64 = 90 * 86_400
  /// How many of the newest are kept whatever their age: a clock that is set to another year must
  /// not cost what happened before.
  static let keptAtAnyAge: Int64 = 1000
  /// How many a single addition removes for their age; they come one by one, so that is enough.
  private static let sweep = 64

  /// What happened, before it has a number.
  struct Entry: Sendable {
    var time: Int64
    var id: ResourceID?
    var reason: String
    var message: String
    var actor: EngineActor?
    var source: SourceSpan?
    var changes: [EngineEvent.Change] = []
  }

  /// Adds one, and removes those whose time is over, in the transaction at hand.
  static func add(_ db: Database, _ entry: Entry) throws {
    try db.run(
      sql: """
        INSERT INTO events (time, kind, name, reason, message, actor, source, changes)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        entry.time, entry.id?.kind.rawValue, entry.id?.name, entry.reason, entry.message,
        entry.actor?.stored.text(), entry.source?.stored.text(),
        entry.changes.isEmpty ? nil : JSONValue.array(entry.changes.map(\.stored)).text(),
      ])
    let last = db.lastInsertedRowID
    try db.run(sql: "DELETE FROM events WHERE sequence <= ?", arguments: [last - retention])
    try db.run(
      sql: """
        DELETE FROM events WHERE time < ? AND sequence IN
          (SELECT sequence FROM events WHERE sequence <= ? ORDER BY sequence LIMIT ?)
        """, arguments: [entry.time - age, last - keptAtAnyAge, sweep])
  }

  static func read(_ db: Database, after sequence: Int64, limit: Int) throws -> [EngineEvent] {
    try db.rows(
      sql: """
        SELECT sequence, time, kind, name, reason, message, actor, source, changes FROM events
        WHERE sequence > ? ORDER BY sequence LIMIT ?
        """, arguments: [sequence, max(0, limit)]
    ).map { row in
      let row = StrictRow(row, of: "events")
      var id: ResourceID?
      if let name = try row.optionalText(3) { id = ResourceID(try row.choice(2), name) }
      return EngineEvent(
        sequence: try row.integer(0), time: try row.integer(1), id: id, reason: try row.text(4),
        message: try row.text(5), actor: try row.optionalJSON(6).map(EngineActor.init(stored:)),
        source: try row.optionalJSON(7).map(SourceSpan.init(stored:)),
        changes: try (row.optionalJSON(8)?.array ?? []).map(EngineEvent.Change.init(stored:)))
    }
  }
}

extension EngineActor {
  fileprivate var stored: JSONValue {
    var value: JSONValue = [
      "uid": .integer(Int64(userID)), "command": .string(command),
      "process": .integer(Int64(processID)),
    ]
    value["user"] = userName.map(JSONValue.string)
    value["login"] = loginName.map(JSONValue.string)
    return value
  }

  fileprivate init(stored value: JSONValue) throws {
    guard let userID = value["uid"]?.integer.flatMap(UInt32.init(exactly:)),
      let process = value["process"]?.integer.flatMap(Int32.init(exactly:)),
      let command = value["command"]?.string
    else { throw corruptRow("events", "the actor is none") }
    self.init(
      userID: userID, userName: value["user"]?.string, loginName: value["login"]?.string,
      command: command, processID: process)
  }
}

extension EngineEvent.Change {
  fileprivate var stored: JSONValue { [.string(path), .string(effect.rawValue)] }

  fileprivate init(stored value: JSONValue) throws {
    guard let parts = value.array, parts.count == 2, let path = parts[0].string,
      let effect = parts[1].string.flatMap(Effect.init(rawValue:))
    else { throw corruptRow("events", "a change is no path with an effect") }
    self.init(path: path, effect: effect)
  }
}
