internal import DiskImage
internal import GRDB
internal import Resources

/// A row of `disks`: a file that is, or is about to be, a volume or a machine's own disk.
struct StoredDisk: Sendable, Hashable {
  /// The file's identity; a volume's is the volume's own.
  var uid: String
  /// The volume's or the machine's uid.
  var owner: String
  /// The disk's name in its machine, empty for a volume; with a slash in it for one that was
  /// replaced and is to be removed.
  var name: String
  var pool: String
  var path: String
  var format: DiskFormat
  var virtualSize: Int
  /// The digest of the image it is a clone of.
  var image: String?
  /// Whether the file has been made: one that is missing then is lost.
  var isMade: Bool

  /// Whether another has taken its place; its file is to be removed once that one is in use.
  var isRetired: Bool { name.contains("/") }

  private static let columns = "uid, owner, name, pool, path, format, virtual_size, image, made"

  init(
    uid: String, owner: String, name: String, pool: String, path: String, format: DiskFormat,
    virtualSize: Int, image: String? = nil
  ) {
    self.uid = uid
    self.owner = owner
    self.name = name
    self.pool = pool
    self.path = path
    self.format = format
    self.virtualSize = virtualSize
    self.image = image
    isMade = false
  }

  private init(_ row: Row) throws {
    let row = StrictRow(row, of: "disks")
    uid = try row.text(0)
    owner = try row.text(1)
    name = try row.text(2)
    pool = try row.text(3)
    path = try row.text(4)
    format = try row.choice(5)
    virtualSize = try row.int(6)
    image = try row.optionalText(7)
    isMade = try row.bool(8)
    guard path.hasPrefix("/"), virtualSize >= 0 else {
      throw corruptRow("disks", "the disk \(uid) has the path '\(path)'")
    }
  }

  static func all(_ db: Database) throws -> [StoredDisk] {
    try db.rows(sql: "SELECT \(columns) FROM disks ORDER BY uid").map(StoredDisk.init)
  }

  /// The disks whose files have been made, without those that others have taken the place of; in
  /// no order.
  static func made(_ db: Database) throws -> [StoredDisk] {
    var found: [StoredDisk] = []
    let rows = try Row.fetchCursor(db, sql: "SELECT \(columns) FROM disks WHERE made = 1")
    while let row = try rows.next() {
      let disk = try StoredDisk(row)
      if !disk.isRetired { found.append(disk) }
    }
    return found
  }

  static func owned(by owner: String, _ db: Database) throws -> [StoredDisk] {
    try db.rows(
      sql: "SELECT \(columns) FROM disks WHERE owner = ? ORDER BY name", arguments: [owner]
    ).map(StoredDisk.init)
  }

  static func inPool(_ pool: String, _ db: Database) throws -> [StoredDisk] {
    try db.rows(
      sql: "SELECT \(columns) FROM disks WHERE pool = ? ORDER BY uid", arguments: [pool]
    ).map(StoredDisk.init)
  }

  func insert(_ db: Database) throws {
    try db.run(
      sql: "INSERT INTO disks (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      arguments: [
        uid, owner, name, pool, path, format.rawValue, virtualSize, image, isMade ? 1 : 0,
      ])
  }

  /// Makes way for another disk of the same name.
  func retire(_ db: Database) throws {
    try db.run(
      sql: "UPDATE disks SET name = ? WHERE uid = ?", arguments: ["\(name)/\(uid)", uid])
  }

  /// Notes that the files of an owner are there, or that they are to be made anew.
  static func setMade(_ db: Database, owner: String, to isMade: Bool) throws {
    try db.run(
      sql: "UPDATE disks SET made = ?1 WHERE owner = ?2 AND made != ?1",
      arguments: [isMade ? 1 : 0, owner])
  }

  func delete(_ db: Database) throws {
    try db.run(sql: "DELETE FROM disks WHERE uid = ?", arguments: [uid])
  }

  static func setSize(_ db: Database, uid: String, to size: Int) throws {
    try db.run(
      sql: "UPDATE disks SET virtual_size = ? WHERE uid = ?", arguments: [size, uid])
  }
}
