internal import Ext4

/// Where each group's bitmaps and inodes are.
struct GroupTable: Sendable {
  struct Group: Sendable {
    let blockBitmap: UInt64
    let inodeBitmap: UInt64
    let inodeTable: UInt64
    /// Inodes of the table, from its start, that may be in use.
    let inodes: UInt32
    let flags: UInt16
    let blockBitmapChecksum: UInt32
    let inodeBitmapChecksum: UInt32

    /// BLOCK_UNINIT: the bitmap was never written, and only the group's own blocks are in use.
    var hasBlockBitmap: Bool { flags & 2 == 0 }
    /// INODE_UNINIT: neither bitmap nor table were written.
    var hasInodeBitmap: Bool { flags & 1 == 0 }
  }

  let groups: [Group]

  /// Reads and checks all descriptors.
  init(_ superblock: Superblock, _ source: some VolumeSource, limit: Int) throws {
    guard superblock.groupCount <= UInt64(limit) else {
      throw Ext4ReadError(.limit, "it has \(superblock.groupCount) groups, more than \(limit)")
    }
    let size = superblock.descriptorSize
    let perBlock = superblock.blockSize / size
    var groups: [Group] = []
    for index in 0..<(Int(superblock.groupCount) + perBlock - 1) / perBlock {
      let block = Self.block(UInt64(index), superblock, perBlock: UInt64(perBlock))
      guard block < superblock.blockCount else {
        throw Ext4ReadError(block: block, "group descriptors lie beyond the end")
      }
      let bytes = try source.bytes(
        at: Int(block) * superblock.blockSize, count: superblock.blockSize)
      for slot in 0..<min(perBlock, Int(superblock.groupCount) - index * perBlock) {
        let descriptor = Array(bytes[slot * size..<(slot + 1) * size])
        groups.append(try Self.decode(descriptor, groups.count, block, superblock))
      }
    }
    self.groups = groups
  }

  /// The block that holds the descriptors from `index` times `perBlock` on.
  private static func block(
    _ index: UInt64, _ superblock: Superblock, perBlock: UInt64
  ) -> UInt64 {
    let isMeta = superblock.incompatible & Superblock.Feature.metaGroups != 0
    if !isMeta || index < superblock.firstMetaGroup {
      return superblock.firstDataBlock + 1 + index
    }
    let group = index * perBlock
    return superblock.firstDataBlock + group * superblock.blocksPerGroup
      + (superblock.hasSuperblock(group) ? 1 : 0)
  }

  private static func decode(
    _ bytes: [UInt8], _ group: Int, _ block: UInt64, _ superblock: Superblock
  ) throws -> Group {
    if superblock.hasChecksums {
      var zeroed = bytes
      (zeroed[0x1e], zeroed[0x1f]) = (0, 0)
      let start = checksum(superblock.seed, UInt32(truncatingIfNeeded: group))
      try check(
        bytes.little16(0x1e), checksum(start, zeroed[...]) & 0xffff,
        "the checksum of group \(group)'s descriptor", block: block)
    }
    if !superblock.hasChecksums,
      superblock.readOnlyCompatible & Superblock.Feature.groupChecksums != 0
    {
      let number = withUnsafeBytes(of: UInt32(truncatingIfNeeded: group).littleEndian, Array.init)
      let covered = superblock.uuid + number + bytes[..<0x1e] + bytes[0x20...]
      try check(
        bytes.little16(0x1e), covered.withUnsafeBytes { CRC16.update(.max, $0) },
        "the checksum of group \(group)'s descriptor", block: block)
    }
    let isWide = bytes.count >= 64
    func place(_ low: Int, _ high: Int) -> UInt64 {
      isWide ? bytes.little64(low: low, high: high) : UInt64(bytes.little32(low))
    }
    func sum(_ low: Int, _ high: Int) -> UInt32 {
      UInt32(bytes.little16(low)) | (isWide ? UInt32(bytes.little16(high)) << 16 : 0)
    }
    let flags = bytes.little16(0x12)
    let counted =
      superblock.readOnlyCompatible
      & (Superblock.Feature.groupChecksums | Superblock.Feature.metadataChecksums) != 0
    var unused = UInt32(bytes.little16(0x1c))
    if isWide { unused |= UInt32(bytes.little16(0x32)) << 16 }
    if !counted { unused = 0 }
    // INODE_UNINIT: the table was never written.
    if counted, flags & 1 != 0 { unused = superblock.inodesPerGroup }
    guard unused <= superblock.inodesPerGroup else {
      throw Ext4ReadError(block: block, "group \(group) has \(unused) unused inodes, too many")
    }
    let found = Group(
      blockBitmap: place(0x00, 0x20), inodeBitmap: place(0x04, 0x24),
      inodeTable: place(0x08, 0x28), inodes: superblock.inodesPerGroup - unused, flags: flags,
      blockBitmapChecksum: sum(0x18, 0x38), inodeBitmapChecksum: sum(0x1a, 0x3a))
    let tableBlocks = superblock.inodeTableBlocks
    for (start, count) in [
      (found.blockBitmap, 1), (found.inodeBitmap, 1), (found.inodeTable, tableBlocks),
    ]
    where start < superblock.firstDataBlock || start > superblock.blockCount
      || superblock.blockCount - start < count
    {
      throw Ext4ReadError(
        block: block, "group \(group) has its bitmaps or inodes at block \(start), beyond the end")
    }
    return found
  }
}

extension Superblock {
  /// Blocks of one group's inode table.
  var inodeTableBlocks: UInt64 {
    let bytes = UInt64(inodesPerGroup) * UInt64(inodeSize)
    return (bytes + UInt64(blockSize) - 1) / UInt64(blockSize)
  }
}
