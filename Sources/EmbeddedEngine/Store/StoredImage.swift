internal import DiskImage
internal import EngineInterface
internal import GRDB
internal import JSON

/// A row of `images`: what lies, sealed, in the directory of that digest.
struct StoredImage: Sendable {
  var digest: String
  var created: Int64
  var built: BuiltImage
  /// The disk's format.
  var format: DiskFormat
  /// The disk file's own SHA-256.
  var diskDigest: String

  private static let columns = "digest, created, virtual_size, description"

  init(digest: String, diskDigest: String, created: Int64, built: BuiltImage, format: DiskFormat) {
    self.digest = digest
    self.diskDigest = diskDigest
    self.created = created
    self.built = built
    self.format = format
  }

  private init(_ row: Row) throws {
    let row = StrictRow(row, of: "images")
    digest = try row.text(0)
    created = try row.integer(1)
    let reader = JSONReader(try row.json(3))
    do {
      format = try reader.member("format").choice(DiskFormat.self)
      diskDigest = try reader.member("diskDigest").string()
      built = BuiltImage(
        disk: try reader.member("disk").string(), format: format.rawValue,
        virtualSize: try row.integer(2), kernel: try reader.optional("kernel")?.string(),
        initialRAMDisk: try reader.optional("initialRAMDisk")?.string(),
        kernelArguments: try reader.optional("kernelArguments")?.string(),
        firmware: try reader.member("firmware").strings(),
        report: reader.optional("report")?.value ?? [:])
    } catch let error as JSONShapeError {
      throw corruptRow("images", "image \(digest): \(error)")
    }
  }

  static func find(_ db: Database, _ digest: String) throws -> StoredImage? {
    try db.row(
      sql: "SELECT \(columns) FROM images WHERE digest = ?", arguments: [digest]
    ).map(StoredImage.init)
  }

  static func allDigests(_ db: Database) throws -> [String] {
    try db.rows(sql: "SELECT digest FROM images ORDER BY digest").map {
      try StrictRow($0, of: "images").text(0)
    }
  }

  func insert(_ db: Database) throws {
    let description: JSONValue = [
      "disk": .string(built.disk), "format": .string(format.rawValue),
      "diskDigest": .string(diskDigest), "kernel": JSONValue(built.kernel),
      "initialRAMDisk": JSONValue(built.initialRAMDisk),
      "kernelArguments": JSONValue(built.kernelArguments),
      "firmware": .array(built.firmware.map(JSONValue.string)), "report": built.report,
    ]
    try db.run(
      sql: "INSERT OR IGNORE INTO images (\(Self.columns)) VALUES (?, ?, ?, ?)",
      arguments: [digest, created, built.virtualSize, description.text()])
  }

  static func delete(_ db: Database, _ digest: String) throws {
    try db.run(sql: "DELETE FROM images WHERE digest = ?", arguments: [digest])
  }

  /// Digests that no image resource shows and no disk is a clone of.
  static func unused(_ db: Database) throws -> [String] {
    try db.rows(
      sql: """
        SELECT digest FROM images
        WHERE NOT EXISTS (SELECT 1 FROM disks WHERE image = images.digest)
          AND digest NOT IN (
            SELECT details ->> '$.digest' FROM resources
            WHERE kind = 'Image' AND details ->> '$.digest' IS NOT NULL)
          AND digest NOT IN (
            SELECT data ->> '$.digest' FROM journal WHERE data ->> '$.digest' IS NOT NULL)
        ORDER BY digest
        """
    ).map { try StrictRow($0, of: "images").text(0) }
  }
}
