internal import EngineInterface
internal import GRDB
internal import JSON
internal import Resources

/// A row of `machines`: what was last known of a machine's processes.
struct StoredMachine: Sendable {
  var uid: String
  /// Whether it is known that no process lives; then nothing need be asked.
  var isDown: Bool
  var state: MachineStatus.State
  /// Why it is in that state.
  var reason: String?
  var since: Int64?
  /// The specification the running guest was started with.
  var runningSpec: JSONValue?
  /// The digest of the secrets it was started with, where `runningSpec` is known.
  var runningInputs: String?
  /// What the networks of the running guest's interfaces were defined as when it got them, by the
  /// interface's name; there from the moment that one is changed.
  var runningNetworks: JSONValue?
  /// Counts the disks it had: a machine made anew gets a new instance-id, so that cloud-init in it
  /// begins anew too.
  var instance: Int64
  /// How far its monitor's journal has been read.
  var journalSequence: Int64
  /// Whether it is being made anew, from the intent on until what it was is gone.
  var replacing: Replacing

  /// How far the making anew of a machine is.
  enum Replacing: String {
    /// It isn't.
    case no
    /// It is to be made anew, and had no guest.
    case halted
    /// It is to be made anew and has, or had, a guest.
    case guest
  }

  private static let columns =
    "uid, is_down, state, reason, since, running_spec, instance, journal_sequence, replacing,"
    + " running_inputs, running_networks"

  init(uid: String) {
    self.uid = uid
    isDown = true
    state = .halted
    instance = 1
    journalSequence = 0
    replacing = .no
  }

  /// What was in effect in a guest that is gone.
  mutating func forgetGuest() {
    runningSpec = nil
    runningNetworks = nil
  }

  /// What is in effect in a guest that is up, where that may not be what is declared.
  var heldSpec: MachineSpecification? {
    get throws { try isDown ? nil : runningSpec.map { try MachineSpecification($0) } }
  }

  private init(_ row: Row) throws {
    let row = StrictRow(row, of: "machines")
    uid = try row.text(0)
    isDown = try row.bool(1)
    state = try row.choice(2)
    reason = try row.optionalText(3)
    since = try row.optionalInteger(4)
    runningSpec = try row.optionalJSON(5)
    instance = try row.integer(6)
    journalSequence = try row.integer(7)
    replacing = try row.choice(8)
    runningInputs = try row.optionalText(9)
    runningNetworks = try row.optionalJSON(10)
  }

  static func all(_ db: Database) throws -> [String: StoredMachine] {
    var found: [String: StoredMachine] = [:]
    let rows = try Row.fetchCursor(db, sql: "SELECT \(columns) FROM machines")
    while let row = try rows.next() {
      let machine = try StoredMachine(row)
      found[machine.uid] = machine
    }
    return found
  }

  /// Machines that may have processes.
  static func notDown(_ db: Database) throws -> [StoredMachine] {
    try db.rows(
      sql: "SELECT \(columns) FROM machines WHERE is_down = 0 ORDER BY uid"
    ).map(StoredMachine.init)
  }

  /// Those among them whose guests were started with something else than what is declared by now.
  static func changedWhileUp(_ db: Database) throws -> [StoredMachine] {
    try db.rows(
      sql: """
        SELECT \(columns) FROM machines WHERE is_down = 0 AND running_spec IS NOT NULL ORDER BY uid
        """
    ).map(StoredMachine.init)
  }

  static func find(_ db: Database, _ uid: String) throws -> StoredMachine? {
    try db.row(
      sql: "SELECT \(columns) FROM machines WHERE uid = ?", arguments: [uid]
    ).map(StoredMachine.init)
  }

  static func require(_ db: Database, _ uid: String) throws -> StoredMachine {
    if let found = try find(db, uid) { return found }
    throw corruptRow("machines", "the row of machine \(uid) is missing")
  }

  func save(_ db: Database) throws {
    try db.run(
      sql: "REPLACE INTO machines (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      arguments: [
        uid, isDown ? 1 : 0, state.rawValue, reason, since, runningSpec?.text(), instance,
        journalSequence, replacing.rawValue, runningInputs, runningNetworks?.text(),
      ])
  }

  static func delete(_ db: Database, _ uid: String) throws {
    try db.run(sql: "DELETE FROM machines WHERE uid = ?", arguments: [uid])
  }
}
