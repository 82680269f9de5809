internal import FileTree

/// An inode's fields as they stand on the disk, its checksum verified.
struct InodeRecord {
  let number: UInt32
  let mode: UInt16
  let uid: UInt32
  let gid: UInt32
  let size: UInt64
  let links: UInt16
  let flags: UInt32
  /// In units of 512 bytes.
  let sectors: UInt64
  let attributeBlock: UInt64
  let accessed: FileTime
  let modified: FileTime
  let changed: FileTime
  let created: FileTime?
  /// The 60 bytes of an extent tree's root, a block map, a short link or a device number.
  let root: [UInt8]
  /// What follows the fields: extended attributes.
  let tail: [UInt8]
  /// The seed of checksums of what belongs to this inode.
  let seed: UInt32

  enum Flag {
    static let encrypted: UInt32 = 0x800
    static let index: UInt32 = 0x1000
    static let hugeFile: UInt32 = 0x40000
    static let extents: UInt32 = 0x80000
    static let inlineData: UInt32 = 0x1000_0000
    /// How the content is stored, which a tree doesn't tell: compression's four, encrypt, index,
    /// imagic, huge_file, extents, verity, ea_inode, eofblocks, inline_data.
    static let storage: UInt32 = 0x107c_3f04
  }

  init(_ bytes: [UInt8], number: UInt32, _ superblock: Superblock) throws {
    self.number = number
    let extra = bytes.count > 128 ? Int(bytes.little16(0x80)) : 0
    guard extra % 4 == 0, 128 + extra <= bytes.count else {
      throw Ext4ReadError(inode: number, "it has \(extra) bytes of further fields")
    }
    let generation = bytes.little32(0x64)
    seed = checksum(checksum(superblock.seed, number), generation)
    if superblock.hasChecksums { try Self.verify(bytes, extra: extra, number, seed) }
    mode = bytes.little16(0x00)
    uid = UInt32(bytes.little16(0x02)) | UInt32(bytes.little16(0x78)) << 16
    gid = UInt32(bytes.little16(0x18)) | UInt32(bytes.little16(0x7a)) << 16
    size = bytes.little64(low: 0x04, high: 0x6c)
    links = bytes.little16(0x1a)
    flags = bytes.little32(0x20)
    let isHuge = superblock.readOnlyCompatible & Superblock.Feature.hugeFile != 0
    let count =
      isHuge ? bytes.little48(low: 0x1c, high: 0x74) : UInt64(bytes.little32(0x1c))
    let unit = isHuge && flags & Flag.hugeFile != 0 ? UInt64(superblock.blockSize / 512) : 1
    sectors = count * unit
    attributeBlock = bytes.little48(low: 0x68, high: 0x76)
    func time(_ low: Int, _ high: Int) throws -> FileTime {
      try Self.time(bytes, low, extra >= high + 4 - 0x80 ? high : nil, number)
    }
    changed = try time(0x0c, 0x84)
    modified = try time(0x10, 0x88)
    accessed = try time(0x08, 0x8c)
    created = extra >= 0x98 - 0x80 ? try time(0x90, 0x94) : nil
    root = Array(bytes[0x28..<0x64])
    tail = bytes.count > 128 ? Array(bytes[(128 + extra)...]) : []
  }

  private static func verify(
    _ bytes: [UInt8], extra: Int, _ number: UInt32, _ seed: UInt32
  ) throws {
    var zeroed = bytes
    (zeroed[0x7c], zeroed[0x7d]) = (0, 0)
    var stored = UInt32(bytes.little16(0x7c))
    var mask: UInt32 = 0xffff
    if extra >= 4 {
      (zeroed[0x82], zeroed[0x83]) = (0, 0)
      stored |= UInt32(bytes.little16(0x82)) << 16
      mask = .max
    }
    try check(stored, checksum(seed, zeroed[...]) & mask, "its checksum", inode: number)
  }

  /// Seconds, and in a further word two more bits above them and the nanoseconds.
  private static func time(
    _ bytes: [UInt8], _ low: Int, _ high: Int?, _ number: UInt32
  ) throws -> FileTime {
    let seconds = Int64(Int32(bitPattern: bytes.little32(low)))
    guard let high else { return FileTime(seconds: seconds) }
    let word = bytes.little32(high)
    guard word >> 2 < 1_000_000_000 else {
      throw Ext4ReadError(inode: number, "a time stamp has \(word >> 2) nanoseconds")
    }
    return FileTime(seconds: seconds + Int64(word & 3) << 32, nanoseconds: word >> 2)
  }

  var type: UInt16 { mode & 0o170000 }
  var isDirectory: Bool { type == 0o040000 }
  var hasExtents: Bool { flags & Flag.extents != 0 }

  /// What a tree holds beside kind, content and extended attributes.
  func attributes(_ extended: [ExtendedAttribute]) -> FileAttributes {
    FileAttributes(
      permissions: mode & 0o7777, uid: uid, gid: gid, modified: modified, accessed: accessed,
      changed: changed, created: created, flags: flags & ~Flag.storage, extended: extended)
  }
}
