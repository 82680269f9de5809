// The superblock, its copies, and the order in which the last things are written.
extension Finisher {
  private static let size = 1024

  /// Writes everything that is left and gives the summary.
  func writeMetadata(_ layout: Layout) throws -> Ext4Summary {
    try writeJournal(layout)
    try writeInodeTables(layout)
    let (descriptors, freeBlocks) = try writeGroups(layout)
    try writeResizeBlocks(layout)
    for group in (0..<layout.groups).reversed() where Ext4.hasBackup(group) {
      try writeCopy(group, layout, descriptors, freeBlocks)
    }
    try writer.output.flush()
    return Ext4Summary(
      size: layout.total * Ext4.blockSize, freeSize: freeBlocks * Ext4.blockSize,
      inodeCount: layout.groups * layout.inodesPerGroup, usedInodeCount: plan.usedInodes,
      journalSize: layout.journalBlocks * Ext4.blockSize,
      clampedTimes: clampedTimes,
      unreferenced: layout.dropped.map {
        $0.lowerBound * Ext4.blockSize..<$0.upperBound * Ext4.blockSize
      })
  }

  /// A superblock and the descriptors after it; the first group's come last of all, so that what
  /// was cut short is no file system.
  private func writeCopy(
    _ group: Int, _ layout: Layout, _ descriptors: [UInt8], _ freeBlocks: Int
  ) throws {
    let start = group * Ext4.blocksPerGroup * Ext4.blockSize
    try writer.output.seek(start + Ext4.blockSize)
    try descriptors.withUnsafeBytes { try writer.output.append($0) }
    block.clear()
    let offset = group == 0 ? 1024 : 0
    fillSuperblock(
      block.part(offset..<offset + Self.size), group: group, layout, freeBlocks: freeBlocks)
    try writer.output.write(block, at: start)
  }

  private func fillSuperblock(
    _ bytes: UnsafeMutableRawBufferPointer, group: Int, _ layout: Layout, freeBlocks: Int
  ) {
    let inodes = layout.groups * layout.inodesPerGroup
    let reserved = layout.total / 100 * Int(min(options.reservedPercent, 50))
    bytes.putLow32(inodes, at: 0x00)
    bytes.putLow32(layout.total, at: 0x04)
    bytes.putLow32(reserved, at: 0x08)
    bytes.putLow32(freeBlocks, at: 0x0c)
    bytes.putLow32(inodes - plan.usedInodes, at: 0x10)
    // Block and cluster size as powers of two above 1,024.
    bytes.putLow32(2, at: 0x18)
    bytes.putLow32(2, at: 0x1c)
    bytes.putLow32(Ext4.blocksPerGroup, at: 0x20)
    bytes.putLow32(Ext4.blocksPerGroup, at: 0x24)
    bytes.putLow32(layout.inodesPerGroup, at: 0x28)
    bytes.put(UInt16(0xffff), at: 0x36)
    bytes.put(UInt16(0xef53), at: 0x38)
    // Clean; the copies say otherwise, so that one that is put to use is checked first.
    bytes.putLow16(group == 0 ? 1 : 0, at: 0x3a)
    // On errors: go on. Revision 1.
    bytes.putLow16(1, at: 0x3c)
    bytes.putLow32(1, at: 0x4c)
    bytes.put(Ext4.firstInode, at: 0x54)
    bytes.putLow16(Ext4.inodeSize, at: 0x58)
    bytes.putLow16(group, at: 0x5a)
    bytes.put(options.uuid.bytes, at: 0x68)
    bytes.put(options.label, at: 0x78)
    if layout.resizeBlock != nil { bytes.putLow16(layout.spareDescriptorBlocks, at: 0xce) }
    bytes.putLow32(layout.total >> 32, at: 0x150)
    bytes.putLow32(reserved >> 32, at: 0x154)
    bytes.putLow32(freeBlocks >> 32, at: 0x158)
    fillTimes(bytes)
    fillFeatures(bytes, layout)
    fillJournal(bytes, layout)
    if options.profile.hasMetadataChecksums {
      // Not begun with the UUID as all others are.
      let covered = UnsafeRawBufferPointer(bytes.part(0..<0x3fc))
      bytes.put(CRC32C.update(UInt32.max, covered), at: 0x3fc)
    }
  }

  /// Written, checked and made: 32 bits each, and eight more above.
  private func fillTimes(_ bytes: UnsafeMutableRawBufferPointer) {
    let time = Int(min(max(options.creationTime, 0), 1 << 40 - 1))
    for (low, high) in [(0x30, 0x274), (0x40, 0x277), (0x108, 0x276)] {
      bytes.putLow32(time, at: low)
      bytes.put(UInt8(truncatingIfNeeded: time >> 32), at: high)
    }
  }

  private func fillFeatures(_ bytes: UnsafeMutableRawBufferPointer, _ layout: Layout) {
    let profile = options.profile
    // s_feature_compat: has_journal, ext_attr, dir_index, and resize_inode.
    bytes.put(UInt32(layout.resizeBlock == nil ? 0x2c : 0x3c), at: 0x5c)
    bytes.put(profile.incompatibleFeatures, at: 0x60)
    bytes.put(profile.readOnlyFeatures, at: 0x64)
    bytes.put(options.hashSeed.bytes, at: 0xec)
    // Half MD4 over signed characters, whatever the machine.
    bytes.put(UInt8(1), at: 0xfc)
    bytes.put(UInt32(1), at: 0x160)
    if profile.descriptorSize > 32 { bytes.putLow16(profile.descriptorSize, at: 0xfe) }
    // Default mount options: user_xattr, acl.
    bytes.put(UInt32(0x0c), at: 0x100)
    bytes.putLow16(32, at: 0x15c)
    bytes.putLow16(32, at: 0x15e)
    // Sixteen groups a flexible one.
    bytes.put(UInt8(4), at: 0x174)
    // Checksums are CRC-32C.
    if profile.hasMetadataChecksums { bytes.put(UInt8(1), at: 0x175) }
  }

  /// Where the journal is, and a copy of its inode's extents for when the inode is lost.
  private func fillJournal(_ bytes: UnsafeMutableRawBufferPointer, _ layout: Layout) {
    let image = journalImage(layout)
    bytes.put(Ext4.journalInode, at: 0xe0)
    bytes.put(UInt8(1), at: 0xfd)
    bytes.put(image.root, at: 0x10c)
    bytes.putLow32(image.size >> 32, at: 0x148)
    bytes.putLow32(image.size, at: 0x14c)
  }
}
