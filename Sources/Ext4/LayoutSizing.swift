/// How large a file system has to be for what was streamed into it.
struct LayoutSizing {
  /// What is given out already.
  let allocator: BlockAllocator
  /// Inodes used, the reserved ones among them.
  let usedInodes: Int
  let profile: Ext4Profile

  /// Blocks in all: the size given, or the smallest that holds all.
  func total(_ options: Ext4Options) throws(Ext4Error) -> Int {
    switch options.size {
    case .exactly(let size):
      let total = withoutStump(max(1, options.exactBlocks ?? 1))
      if allocator.next > total || needed(total) > total {
        let enough = try fitting(max(allocator.next, total + 1), free: 0)
        throw Ext4Error([], .tooSmall(needed: UInt64(enough * Ext4.blockSize), size: size))
      }
      return total
    case .fitting(let free):
      let blocks = Ext4.divideUp(Int(clamping: min(free, 1 << 60)), Ext4.blockSize)
      return try fitting(allocator.next + blocks, free: blocks)
    }
  }

  /// Blocks up to the last one used, in a file system of `total`.
  private func needed(_ total: Int) -> Int {
    let groups = Ext4.divideUp(wantedInodes, 32768)
    return max(Layout(self, total: total).end, (groups - 1) * Ext4.blocksPerGroup + 1)
  }

  /// The smallest size from `least` on that holds all and has `free` blocks behind it.
  ///
  /// More blocks mean more groups, each with its bitmaps and inode table, which need blocks:
  /// the size grows until it covers what it needs itself.
  private func fitting(_ least: Int, free: Int) throws(Ext4Error) -> Int {
    // Blocks that there are descriptors for.
    let most = min(
      (allocator.reserved - 1) * profile.descriptorsPerBlock * Ext4.blocksPerGroup,
      profile.mostBlocks)
    var total = whole(least)
    while true {
      if total > most {
        let size = UInt64(Ext4.blockSize)
        throw Ext4Error(
          [], .beyondMaximum(needed: UInt64(total) * size, maximum: UInt64(most) * size))
      }
      let end = needed(total)
      let groups = Ext4.divideUp(max(total, end), Ext4.blocksPerGroup)
      let copies = (Ext4.divideUp(end, Ext4.blocksPerGroup)..<groups)
        .count { Ext4.hasBackup($0) }
      let wanted = end + free + copies * allocator.reserved
      if wanted <= total { return total }
      total = whole(wanted)
    }
  }

  /// A fifth more than are used, so that a small system full of files can go on.
  private var wantedInodes: Int { usedInodes + usedInodes / 5 + 16 }

  /// What the tree needs, or one inode for 16 KiB, 32 KiB from 4 TiB on and 64 KiB from 16 TiB
  /// on, as mke2fs has it; a bitmap's bits at most.
  func inodesPerGroup(_ total: Int) -> Int {
    let groups = Ext4.divideUp(total, Ext4.blocksPerGroup)
    let blocksPerInode = total < 1 << 30 ? 4 : total < Ext4.firstWideBlock ? 8 : 16
    let count = Ext4.divideUp(max(wantedInodes, total / blocksPerInode), groups)
    return min(Ext4.divideUp(count, Ext4.inodesPerBlock) * Ext4.inodesPerBlock, 32768)
  }

  /// Blocks that mke2fs asks of a last group to be worth keeping (e2fsprogs
  /// lib/ext2fs/initialize.c).
  private func smallestGroup(_ total: Int) -> Int {
    let last = Ext4.divideUp(total, Ext4.blocksPerGroup) - 1
    let table = inodesPerGroup(total) / Ext4.inodesPerBlock
    return 2 + table + (Ext4.hasBackup(last) ? allocator.reserved : 0) + 50
  }

  /// Up to a MiB, and to a last group that is large enough.
  private func whole(_ blocks: Int) -> Int {
    let total = Ext4.divideUp(blocks, 256) * 256
    let stump = total % Ext4.blocksPerGroup
    let smallest = smallestGroup(total)
    if stump == 0 || stump >= smallest { return total }
    return total - stump + Ext4.divideUp(smallest, 256) * 256
  }

  /// Without a last group that is too small.
  private func withoutStump(_ total: Int) -> Int {
    let stump = total % Ext4.blocksPerGroup
    if total < Ext4.blocksPerGroup || stump == 0 { return total }
    return stump < smallestGroup(total) ? total - stump : total
  }

  /// The journal's size as mke2fs chooses it (e2fsprogs lib/ext2fs/mkjournal.c), but twice that
  /// below 128 MiB: to grow online the kernel writes all reserved descriptor blocks in one
  /// transaction (ext4_flex_group_add), which may take no more than a quarter of the journal.
  static func journalBlocks(_ total: Int) -> Int {
    let steps = [
      (32768, 2048), (262_144, 4096), (524_288, 8192), (4_194_304, 16384), (8_388_608, 32768),
      (16_777_216, 65536), (33_554_432, 131_072),
    ]
    return steps.first { total < $0.0 }?.1 ?? 262_144
  }
}
