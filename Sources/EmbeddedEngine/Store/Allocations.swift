internal import EngineInterface
internal import GRDB
internal import Resources

/// The rows of `allocations`: what only one machine, or one network, can have.
enum Allocation {
  /// What is given out.
  enum Sort: String {
    case mac
    /// `tcp:127.0.0.1:8080`.
    case port
    /// A network's, `10.64.0.0/24`.
    case subnet
    /// `NETWORKUID:10.64.0.130`, of an interface.
    case address
  }

  /// What a slot's name has at its end where the value is that of a running guest, which another
  /// takes the place of at its next boot.
  static let outgoing = "/running"

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

  /// All values of a sort that begin with a text, in their order.
  static func all(
    _ db: Database, _ sort: Sort, beginning prefix: String = ""
  ) throws -> [(owner: String, slot: String, value: String)] {
    try db.rows(
      sql: """
        SELECT owner, slot, value FROM allocations
        WHERE sort = ? AND value >= ? AND value < ? ORDER BY value
        """, arguments: [sort.rawValue, prefix, prefix + "\u{10ffff}"]
    ).map { row in
      let row = StrictRow(row, of: "allocations")
      return (try row.text(0), try row.text(1), try row.text(2))
    }
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
  /// - Parameter keepsOld: what the slot had stays taken, for a guest that runs with it.
  /// - Throws: `EngineError` `in-use`, naming the machine that has it.
  static func take(
    _ db: Database, _ sort: Sort, _ value: String, owner: String, slot: String,
    keepsOld: Bool = false
  ) throws {
    if let other = try self.owner(db, sort, value), other != owner {
      let name = try ownerName(db, other)
      let shown = sort == .address ? value.split(separator: ":").last.map(String.init) : nil
      throw EngineError(
        "in-use", "the \(sort.rawValue) \(shown ?? value) is in use by \(name)",
        help: "choose another, or leave it out and the engine chooses")
    }
    if keepsOld, let old = try self.value(db, sort, owner: owner, slot: slot), old != value {
      // Where there is one already, the guest has not had this one yet.
      try db.run(
        sql: """
          UPDATE OR IGNORE allocations SET slot = ? WHERE sort = ? AND owner = ? AND slot = ?
          """, arguments: [slot + outgoing, sort.rawValue, owner, slot])
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
    for slot in try all(db, sort, owner: owner).keys.sorted()
    where !slots.contains(slot) && !slot.hasSuffix(outgoing) {
      try db.run(
        sql: "DELETE FROM allocations WHERE sort = ? AND owner = ? AND slot = ?",
        arguments: [sort.rawValue, owner, slot])
    }
  }

  static func free(_ db: Database, owner: String) throws {
    try db.run(sql: "DELETE FROM allocations WHERE owner = ?", arguments: [owner])
  }

  /// Whether an owner's guest has, or had, what others have taken the place of.
  static func hasOutgoing(_ db: Database, owner: String) throws -> Bool {
    try db.row(
      sql: "SELECT 1 FROM allocations WHERE owner = ? AND slot LIKE ?",
      arguments: [owner, "%" + outgoing]) != nil
  }

  /// Frees what a guest of an owner had that runs no more.
  ///
  /// - Returns: whether there was anything.
  static func freeOutgoing(_ db: Database, owner: String) throws -> Bool {
    try db.run(
      sql: "DELETE FROM allocations WHERE owner = ? AND slot LIKE ?",
      arguments: [owner, "%" + outgoing])
    return db.changesCount > 0
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
