internal import FileTree

// Bitmaps and group descriptors.
extension Finisher {
  /// Writes all bitmaps and gives the descriptors' bytes and the number of free blocks.
  func writeGroups(_ layout: Layout) throws -> (descriptors: [UInt8], freeBlocks: Int) {
    let directories = directoriesByGroup(layout)
    var descriptors = [UInt8](
      repeating: 0, count: layout.descriptorBlocks * Ext4.blockSize)
    let size = options.profile.descriptorSize
    var freeBlocks = 0
    var free = layout.free[...]
    block.clear()
    let emptySum = checksum.over(block)
    for group in 0..<layout.groups {
      let used = fillBlockBitmap(group, layout, &free)
      let length = min(
        Ext4.blocksPerGroup, layout.total - group * Ext4.blocksPerGroup)
      var blockSum = emptySum
      if used > 0 || length < Ext4.blocksPerGroup {
        blockSum = checksum.over(block)
        try writer.output.write(block, at: layout.blockBitmaps[group] * Ext4.blockSize)
      }
      freeBlocks += length - used
      let inodes = usedInodes(in: group, layout)
      let inodeSum = try writeInodeBitmap(group, layout, used: inodes)
      descriptors.withUnsafeMutableBytes { bytes in
        let target = bytes.part(group * size..<(group + 1) * size)
        let spare = layout.inodesPerGroup - inodes
        target.putLow32(layout.blockBitmaps[group], at: 0x00)
        target.putLow32(layout.inodeBitmaps[group], at: 0x04)
        target.putLow32(layout.inodeTables[group], at: 0x08)
        target.putLow16(length - used, at: 0x0c)
        target.putLow16(spare, at: 0x0e)
        target.putLow16(directories[group], at: 0x10)
        // INODE_ZEROED, and INODE_UNINIT where there is no bitmap.
        target.putLow16(inodes == 0 ? 5 : 4, at: 0x12)
        target.putLow16(blockSum.low, at: 0x18)
        target.putLow16(inodeSum.low, at: 0x1a)
        target.putLow16(spare, at: 0x1c)
        if size > 32 {
          target.putLow32(layout.blockBitmaps[group] >> 32, at: 0x20)
          target.putLow32(layout.inodeBitmaps[group] >> 32, at: 0x24)
          target.putLow32(layout.inodeTables[group] >> 32, at: 0x28)
          target.putLow16(blockSum.high, at: 0x38)
          target.putLow16(inodeSum.high, at: 0x3a)
        }
        target.putLow16(descriptorChecksum(target, group), at: 0x1e)
      }
    }
    return (descriptors, freeBlocks)
  }

  /// Features metadata_csum and, of old, uninit_bg; the checksum's own place is still 0.
  private func descriptorChecksum(
    _ descriptor: UnsafeMutableRawBufferPointer, _ group: Int
  ) -> Int {
    let number = UInt32(truncatingIfNeeded: group)
    if options.profile.hasMetadataChecksums {
      return checksum.over(number).over(descriptor).low
    }
    let start = options.uuid.bytes.withUnsafeBytes { CRC16.update(UInt16.max, $0) }
    let named = withUnsafeBytes(of: number.littleEndian) { CRC16.update(start, $0) }
    return Int(CRC16.update(named, UnsafeRawBufferPointer(descriptor.part(0..<0x1e))))
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
  private func writeInodeBitmap(_ group: Int, _ layout: Layout, used: Int) throws
    -> MetadataChecksum
  {
    if used == 0 { return .none }
    block.clear()
    block.setBits(0..<used, to: true)
    block.setBits(layout.inodesPerGroup..<Ext4.blocksPerGroup, to: true)
    try writer.output.write(block, at: layout.inodeBitmaps[group] * Ext4.blockSize)
    return checksum.over(block.part(0..<layout.inodesPerGroup / 8))
  }
}

extension UnsafeMutableRawBufferPointer {
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
