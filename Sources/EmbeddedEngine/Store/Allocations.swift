internal import EngineInterface
internal import GRDB
internal import Resources

/// The rows of `allocations`: what only one machine can have.
enum Allocation {
  /// What is given out.
  enum Sort: String {
    case mac
    /// `tcp:127.0.0.1:8080`.
    case port
  }

  /// The value of an owner's slot.
  static func value(_ db: Database, _ sort: Sort, owner: String, slot: String) throws -> String? {
    try db.row(
      sql: "SELECT value FROM allocations WHERE owner = ? AND sort = ? AND slot = ?",
      arguments: [owner, sort.rawValue, slot]
    ).map { try StrictRow($0, of: "allocations").text(0) }
  }

  /// Whoever has a value.
  static func owner(_ db: Database, _ sort: Sort, _ value: String) throws -> String? {
    try db.row(
      sql: "SELECT owner FROM allocations WHERE sort = ? AND value = ?",
      arguments: [sort.rawValue, value]
    ).map { try StrictRow($0, of: "allocations").text(0) }
  }

  static func all(_ db: Database, _ sort: Sort, owner: String) throws -> [String: String] {
    var found: [String: String] = [:]
    let rows = try db.rows(
      sql: "SELECT slot, value FROM allocations WHERE owner = ? AND sort = ?",
      arguments: [owner, sort.rawValue])
    for row in rows {
      let row = StrictRow(row, of: "allocations")
      found[try row.text(0)] = try row.text(1)
    }
    return found
  }

  /// Gives a value to a slot; what the slot had before is free again.
  ///
  /// - Throws: `EngineError` `in-use`, naming the machine that has it.
  static func take(
    _ db: Database, _ sort: Sort, _ value: String, owner: String, slot: String
  ) throws {
    if let other = try self.owner(db, sort, value), other != owner {
      let name = try ownerName(db, other)
      throw EngineError(
        "in-use", "the \(sort.rawValue) \(value) is in use by \(name)",
        help: "choose another, or leave it out and the engine chooses")
    }
    try db.run(
      sql: "DELETE FROM allocations WHERE sort = ? AND owner = ? AND (slot = ? OR value = ?)",
      arguments: [sort.rawValue, owner, slot, value])
    try db.run(
      sql: "INSERT INTO allocations VALUES (?, ?, ?, ?)",
      arguments: [sort.rawValue, value, owner, slot])
  }

  /// Frees an owner's slots that are not among those named.
  static func keepOnly(
    _ db: Database, _ sort: Sort, owner: String, slots: Set<String>
  ) throws {
    for slot in try all(db, sort, owner: owner).keys.sorted() where !slots.contains(slot) {
      try db.run(
        sql: "DELETE FROM allocations WHERE sort = ? AND owner = ? AND slot = ?",
        arguments: [sort.rawValue, owner, slot])
    }
  }

  static func free(_ db: Database, owner: String) throws {
    try db.run(sql: "DELETE FROM allocations WHERE owner = ?", arguments: [owner])
  }

  private static func ownerName(_ db: Database, _ uid: String) throws -> String {
    guard
      let row = try db.row(
        sql: "SELECT kind, name FROM resources WHERE uid = ?", arguments: [uid])
    else { return "machine \(uid)" }
    let strict = StrictRow(row, of: "resources")
    return "\(try strict.text(0))/\(try strict.text(1))"
  }
}
