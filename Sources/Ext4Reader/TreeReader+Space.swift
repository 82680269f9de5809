// What the file system uses for itself, and whether the bitmaps know of everything in use.
extension TreeReader {
  /// Takes the blocks of superblocks, descriptors, bitmaps and inode tables.
  func claimOwnBlocks() {
    let isMeta = superblock.incompatible & Superblock.Feature.metaGroups != 0
    let perBlock = UInt64(superblock.blockSize / superblock.descriptorSize)
    let descriptorBlocks = (superblock.groupCount + perBlock - 1) / perBlock
    let early = isMeta ? min(superblock.firstMetaGroup, descriptorBlocks) : descriptorBlocks
    let table = UInt32(truncatingIfNeeded: superblock.inodeTableBlocks)
    for (index, group) in groups.enumerated() {
      claims.add(group.blockBitmap, 1, 0)
      claims.add(group.inodeBitmap, 1, 0)
      claims.add(group.inodeTable, table, 0)
      let start = superblock.firstDataBlock + UInt64(index) * superblock.blocksPerGroup
      guard superblock.hasSuperblock(UInt64(index)) else { continue }
      let count = min(
        1 + early + superblock.reservedDescriptorBlocks, superblock.blockCount - start)
      claims.add(start, UInt32(truncatingIfNeeded: count), 0)
    }
  }

  /// Takes the journal's blocks, which also checks that it has all of them.
  func claimJournal() throws {
    let hasJournal: UInt32 = 0x4
    guard superblock.compatible & hasJournal != 0, superblock.journalInode == Self.journalInode
    else { return }
    var runs: [BlockRun] = []
    let journal = try inode(Self.journalInode)
    try map(journal, into: &runs)
    let blocks = runs.reduce(0) { $0 + UInt64($1.count) }
    guard blocks * UInt64(superblock.blockSize) == journal.size else {
      throw Ext4ReadError(
        inode: journal.number, "the journal of \(journal.size) bytes has \(blocks) blocks")
    }
  }

  /// Compares all that is in use with the bitmaps; what they count beside it is only lost room.
  func checkSpace(used inodes: some Sequence<UInt32>) throws {
    var claims = try claims.sorted()[...]
    var numbers = inodes.sorted()[...]
    for (index, group) in groups.enumerated() {
      let start = superblock.firstDataBlock + UInt64(index) * superblock.blocksPerGroup
      let end = min(start + superblock.blocksPerGroup, superblock.blockCount)
      try checkBlocks(of: group, index, start..<end, &claims)
      let last = UInt32(truncatingIfNeeded: index + 1) * superblock.inodesPerGroup
      let own = numbers.prefix { $0 <= last }
      numbers = numbers.dropFirst(own.count)
      guard !own.isEmpty else { continue }
      let bitmap = try bitmap(
        group.inodeBitmap, bits: Int(superblock.inodesPerGroup), group.inodeBitmapChecksum)
      for number in own {
        let bit = Int((number - 1) % superblock.inodesPerGroup)
        guard bitmap[bit / 8] >> UInt8(bit % 8) & 1 == 1 else {
          throw Ext4ReadError(inode: number, "it is in use but free in group \(index)'s bitmap")
        }
      }
    }
  }

  private func checkBlocks(
    of group: GroupTable.Group, _ index: Int, _ range: Range<UInt64>,
    _ claims: inout ArraySlice<BlockClaim>
  ) throws {
    let bitmap =
      group.hasBlockBitmap
      ? try bitmap(
        group.blockBitmap, bits: Int(superblock.blocksPerGroup), group.blockBitmapChecksum)
      : nil
    while let claim = claims.first, claim.start < range.upperBound {
      let end = claim.start + UInt64(claim.count)
      let part = max(claim.start, range.lowerBound)..<min(end, range.upperBound)
      if let bitmap {
        let bits = Int(part.lowerBound - range.lowerBound)..<Int(part.upperBound - range.lowerBound)
        if let free = firstClear(bits, bitmap) {
          throw Ext4ReadError(
            inode: claim.inode == 0 ? nil : claim.inode, block: range.lowerBound + UInt64(free),
            "the block is in use but free in group \(index)'s bitmap")
        }
      } else if claim.inode != 0 {
        throw Ext4ReadError(
          inode: claim.inode, block: part.lowerBound,
          "the block is in use, and group \(index) counts as unused")
      }
      if end > range.upperBound { return }
      claims.removeFirst()
    }
  }

  private func bitmap(_ block: UInt64, bits: Int, _ stated: UInt32) throws -> [UInt8] {
    let bytes = try bytes(ofBlock: block)
    if superblock.hasChecksums {
      // Descriptors of 32 bytes have room for half of it.
      let mask: UInt32 = superblock.descriptorSize >= 64 ? .max : 0xffff
      try check(
        stated, checksum(superblock.seed, bytes[..<(bits / 8)]) & mask, "the bitmap's checksum",
        block: block)
    }
    return bytes
  }

  private func firstClear(_ bits: Range<Int>, _ bitmap: [UInt8]) -> Int? {
    var bit = bits.lowerBound
    while bit < bits.upperBound {
      if bit % 8 == 0, bits.upperBound - bit >= 8, bitmap[bit / 8] == 0xff {
        bit += 8
      } else if bitmap[bit / 8] >> UInt8(bit % 8) & 1 == 1 {
        bit += 1
      } else {
        return bit
      }
    }
    return nil
  }
}
