// The inodes that serve the file system itself: the journal and the room for growth.
extension Finisher {
  /// The journal's inode; also kept in the superblock.
  func journalImage(_ layout: Layout) -> InodeImage {
    var image = reservedImage(mode: 0o100600)
    image.flags = InodeImage.extentsFlag
    image.size = layout.journalBlocks * Ext4.blockSize
    image.blocks = layout.journalBlocks + journalRoot.blocks
    image.root = journalRoot.bytes
    return image
  }

  /// Writes an empty journal: its superblock, big-endian (the kernel's include/linux/jbd2.h).
  func writeJournal(_ layout: Layout) throws {
    journalRoot = try writeExtentTree(layout.journal, inode: Ext4.journalInode) {
      // One block holds the 340 extents of a journal far beyond the largest.
      layout.journalIndex ?? 0
    }
    guard let first = layout.journal.first else { return }
    block.clear()
    func put(_ value: Int, at offset: Int) {
      block.put(UInt32(truncatingIfNeeded: value).byteSwapped, at: offset)
    }
    put(0xc03b_3998, at: 0x00)
    // A superblock of version 2; block size, length, first block of the log, first sequence.
    put(4, at: 0x04)
    put(Ext4.blockSize, at: 0x0c)
    put(layout.journalBlocks, at: 0x10)
    put(1, at: 0x14)
    put(1, at: 0x18)
    block.put(options.uuid.bytes, at: 0x30)
    // One user.
    put(1, at: 0x40)
    try writer.output.write(block, at: first.physical * Ext4.blockSize)
  }

  private func backupGroups(_ layout: Layout) -> [Int] {
    (1..<max(1, layout.groups)).filter { Ext4.hasBackup($0) }
  }

  /// The resize inode: its double indirect block points to the reserved descriptor blocks after
  /// the superblock, each of which lists its counterparts at the copies (e2fsprogs
  /// lib/ext2fs/res_gdt.c).
  func resizeImage(_ layout: Layout, block: Int) -> InodeImage {
    let pointers = Ext4.blockSize / 4
    var image = reservedImage(mode: 0o100600)
    image.size = (pointers * pointers + pointers + 12) * Ext4.blockSize
    image.blocks = 1 + layout.spareDescriptorBlocks * (1 + backupGroups(layout).count)
    image.root = [UInt8](repeating: 0, count: 60)
    image.root.withUnsafeMutableBytes { $0.putLow32(block, at: 13 * 4) }
    return image
  }

  func writeResizeBlocks(_ layout: Layout) throws {
    guard let resizeBlock = layout.resizeBlock else { return }
    let backups = backupGroups(layout)
    let spare = 1 + layout.descriptorBlocks..<layout.reserved
    block.clear()
    for number in spare {
      block.putLow32(number, at: (number - 1) % (Ext4.blockSize / 4) * 4)
    }
    try writer.output.write(block, at: resizeBlock * Ext4.blockSize)
    for number in spare {
      block.clear()
      for (index, group) in backups.enumerated() {
        block.putLow32(group * Ext4.blocksPerGroup + number, at: index * 4)
      }
      if !backups.isEmpty { try writer.output.write(block, at: number * Ext4.blockSize) }
    }
  }
}
