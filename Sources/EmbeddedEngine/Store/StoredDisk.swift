internal import DiskImage
internal import GRDB
internal import Resources

/// A row of `disks`: a file that is, or is about to be, a volume or a machine's own disk.
struct StoredDisk: Sendable, Hashable {
  /// The file's identity; a volume's is the volume's own.
  var uid: String
  /// The volume's or the machine's uid.
  var owner: String
  /// The disk's name in its machine; empty for a volume.
  var name: String
  var pool: String
  var path: String
  var format: DiskFormat
  var virtualSize: Int
  /// The digest of the image it is a clone of.
  var image: String?

  private static let columns = "uid, owner, name, pool, path, format, virtual_size, image"

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
    guard path.hasPrefix("/"), virtualSize >= 0 else {
      throw corruptRow("disks", "the disk \(uid) has the path '\(path)'")
    }
  }

  static func all(_ db: Database) throws -> [StoredDisk] {
    try db.rows(sql: "SELECT \(columns) FROM disks ORDER BY uid").map(StoredDisk.init)
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
      sql: "INSERT INTO disks (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      arguments: [uid, owner, name, pool, path, format.rawValue, virtualSize, image])
  }

  func delete(_ db: Database) throws {
    try db.run(sql: "DELETE FROM disks WHERE uid = ?", arguments: [uid])
  }

  static func setSize(_ db: Database, uid: String, to size: Int) throws {
    try db.run(
      sql: "UPDATE disks SET virtual_size = ? WHERE uid = ?", arguments: [size, uid])
  }
}
