extension Ext4Options {
  /// Blocks in a file system of the size given; nil where the content decides.
  ///
  /// From 16 TiB on it has whole groups: there is no resize inode then, and nothing else owns a
  /// block kept for descriptors that a last group, dropped as too small, would have needed.
  var exactBlocks: Int? {
    guard case .exactly(let size) = size else { return nil }
    let blocks = Int(clamping: size) / Ext4.blockSize
    return blocks < Ext4.firstWideBlock ? blocks : blocks & ~(Ext4.blocksPerGroup - 1)
  }

  /// Blocks kept for group descriptors in each group that has a copy, used or not.
  ///
  /// The resize inode holds at most 1,024 beyond those used, and only 32-bit block numbers.
  var descriptorBlocks: Int {
    var used = 1
    var wanted = Ext4.divideUp(Int(clamping: min(maximumSize, 1 << 60)), Ext4.blockSize)
    if let exact = exactBlocks {
      used = max(1, descriptorBlocks(for: exact))
      if exact >= Ext4.firstWideBlock { return used }
      wanted = max(wanted, exact * 10)
    }
    let reserved = descriptorBlocks(for: min(wanted, Ext4.firstWideBlock))
    return max(used, min(reserved, used + 1023))
  }

  private func descriptorBlocks(for blocks: Int) -> Int {
    Ext4.divideUp(Ext4.divideUp(blocks, Ext4.blocksPerGroup), profile.descriptorsPerBlock)
  }
}
