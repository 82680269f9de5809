internal import FileTree

// Bitmaps and group descriptors.
extension Finisher {
  /// Writes all bitmaps and gives the descriptors' bytes and the number of free blocks.
  func writeGroups(_ layout: Layout) throws -> (descriptors: [UInt8], freeBlocks: Int) {
    let directories = directoriesByGroup(layout)
    var descriptors = [UInt8](
      repeating: 0, count: layout.descriptorBlocks * Ext4.blockSize)
    var freeBlocks = 0
    var free = layout.free[...]
    for group in 0..<layout.groups {
      let used = fillBlockBitmap(group, layout, &free)
      let length = min(
        Ext4.blocksPerGroup, layout.total - group * Ext4.blocksPerGroup)
      let blockChecksum = CRC32C.update(writer.checksumSeed, UnsafeRawBufferPointer(block))
      if used > 0 || length < Ext4.blocksPerGroup {
        try writer.output.write(block, at: layout.blockBitmaps[group] * Ext4.blockSize)
      }
      freeBlocks += length - used
      let inodes = usedInodes(in: group, layout)
      let inodeChecksum = try writeInodeBitmap(group, layout, used: inodes)
      descriptors.withUnsafeMutableBytes { bytes in
        let start = group * Ext4.descriptorSize
        let target = bytes.part(start..<start + Ext4.descriptorSize)
        let spare = layout.inodesPerGroup - inodes
        target.putSplit(layout.blockBitmaps[group], low: 0x00, high: 0x20)
        target.putSplit(layout.inodeBitmaps[group], low: 0x04, high: 0x24)
        target.putSplit(layout.inodeTables[group], low: 0x08, high: 0x28)
        target.putLow16(length - used, at: 0x0c)
        target.putLow16(spare, at: 0x0e)
        target.putLow16(directories[group], at: 0x10)
        // INODE_ZEROED, and INODE_UNINIT where there is no bitmap.
        target.putLow16(inodes == 0 ? 5 : 4, at: 0x12)
        target.putLow16(Int(blockChecksum), at: 0x18)
        target.putLow16(Int(inodeChecksum), at: 0x1a)
        target.putLow16(spare, at: 0x1c)
        target.putLow16(Int(blockChecksum >> 16), at: 0x38)
        target.putLow16(Int(inodeChecksum >> 16), at: 0x3a)
        let seed = CRC32C.update(writer.checksumSeed, UInt32(truncatingIfNeeded: group))
        target.putLow16(Int(CRC32C.update(seed, UnsafeRawBufferPointer(target))), at: 0x1e)
      }
    }
    return (descriptors, freeBlocks)
  }

  private func usedInodes(in group: Int, _ layout: Layout) -> Int {
    min(max(plan.usedInodes - group * layout.inodesPerGroup, 0), layout.inodesPerGroup)
  }

  private func directoriesByGroup(_ layout: Layout) -> [Int] {
    var counts = [Int](repeating: 0, count: layout.groups)
    // The root, and lost+found where it is ours: both in the first group.
    counts[0] = plan.makesLostAndFound ? 2 : 1
    for (index, node) in plan.order.enumerated() where tree.isDirectory(node) {
      counts[(Int(plan.firstNumber) - 1 + index) / layout.inodesPerGroup] += 1
    }
    return counts
  }

  /// Builds a group's bitmap in `block` and counts its used blocks.
  private func fillBlockBitmap(
    _ group: Int, _ layout: Layout, _ free: inout ArraySlice<Range<Int>>
  ) -> Int {
    let start = group * Ext4.blocksPerGroup
    let end = min(start + Ext4.blocksPerGroup, layout.total)
    block.clear()
    var used = max(0, min(layout.end, end) - start)
    block.setBits(0..<used, to: true)
    while let run = free.first, run.lowerBound < end {
      let part = max(run.lowerBound, start)..<min(run.upperBound, end)
      block.setBits(part.lowerBound - start..<part.upperBound - start, to: false)
      used -= part.count
      if run.upperBound > end { break }
      free.removeFirst()
    }
    if start >= layout.end, Ext4.hasBackup(group) {
      block.setBits(0..<layout.reserved, to: true)
      used = layout.reserved
    }
    // Bits beyond the file system's end count as used.
    block.setBits(end - start..<Ext4.blocksPerGroup, to: true)
    return used
  }

  /// Writes a group's inode bitmap, unless no inode is used, and gives its checksum.
  private func writeInodeBitmap(_ group: Int, _ layout: Layout, used: Int) throws -> UInt32 {
    if used == 0 { return 0 }
    block.clear()
    block.setBits(0..<used, to: true)
    block.setBits(layout.inodesPerGroup..<Ext4.blocksPerGroup, to: true)
    try writer.output.write(block, at: layout.inodeBitmaps[group] * Ext4.blockSize)
    return CRC32C.update(
      writer.checksumSeed, UnsafeRawBufferPointer(block.part(0..<layout.inodesPerGroup / 8)))
  }
}

extension UnsafeMutableRawBufferPointer {
  /// A block number in two 32-bit halves.
  fileprivate func putSplit(_ value: Int, low: Int, high: Int) {
    putLow32(value, at: low)
    putLow32(value >> 32, at: high)
  }

  fileprivate func setBits(_ range: Range<Int>, to value: Bool) {
    var bit = range.lowerBound
    while bit < range.upperBound {
      if bit % 8 == 0, range.upperBound - bit >= 8 {
        self[bit / 8] = value ? 0xff : 0
        bit += 8
      } else {
        let mask = UInt8(1) << UInt8(bit % 8)
        self[bit / 8] = value ? self[bit / 8] | mask : self[bit / 8] & ~mask
        bit += 1
      }
    }
  }
}
