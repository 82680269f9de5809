/// Where everything that describes the contents lies, and the file system's final size.
struct Layout {
  /// Blocks in all.
  let total: Int
  let groups: Int
  let inodesPerGroup: Int
  let journal: [Extent]
  /// The block of the journal's extents, where the inode does not hold them all.
  let journalIndex: Int?
  /// The resize inode's block of pointers to descriptor blocks.
  let resizeBlock: Int
  /// By group.
  let blockBitmaps: [Int]
  let inodeBitmaps: [Int]
  let inodeTables: [Int]
  /// Blocks of descriptors in use, at each copy.
  let descriptorBlocks: Int
  /// Blocks at each copy: a superblock, descriptors, and what is reserved for more of them.
  let reserved: Int
  /// All from here on is free, but for the copies.
  let end: Int
  /// Runs of free blocks before `end`, ascending.
  let free: [Range<Int>]
  /// Runs of old content among them.
  let dropped: [Range<Int>]

  var journalBlocks: Int { journal.reduce(0) { $0 + Int($1.count) } }

  /// Finds the smallest layout that holds all, or the one of the size given.
  ///
  /// More blocks mean more groups, each with its bitmaps and inode table, which need blocks:
  /// the size grows until it covers what it needs itself.
  init(
    _ options: Ext4Options, _ allocator: BlockAllocator, usedInodes: Int, dropped: [Range<Int>]
  ) throws(Ext4Error) {
    let most = (allocator.reserved - 1) * Ext4.descriptorsPerBlock * Ext4.blocksPerGroup
    var total: Int
    switch options.size {
    case .exactly(let size):
      total = Self.withoutStump(
        max(1, Int(clamping: size) / Ext4.blockSize), allocator.reserved, usedInodes)
      if allocator.next > total || Self.needed(total, allocator, usedInodes) > total {
        let least = max(allocator.next, total + 1)
        let enough = try Self.fitting(least, free: 0, most: most, allocator, usedInodes)
        throw Ext4Error([], .tooSmall(needed: UInt64(enough * Ext4.blockSize), size: size))
      }
    case .fitting(let free):
      let blocks = Ext4.divideUp(Int(clamping: min(free, 1 << 60)), Ext4.blockSize)
      total = try Self.fitting(
        allocator.next + blocks, free: blocks, most: most, allocator, usedInodes)
    }
    self.init(total: total, allocator, usedInodes: usedInodes, dropped: dropped)
  }

  private init(
    total: Int, _ allocator: BlockAllocator, usedInodes: Int, dropped: [Range<Int>]
  ) {
    var allocator = allocator
    self.total = total
    groups = Ext4.divideUp(total, Ext4.blocksPerGroup)
    inodesPerGroup = Self.inodesPerGroup(total, usedInodes)
    journal = ContentStore.extents(of: allocator.takeAll(Self.journalBlocks(total)))
    journalIndex =
      journal.count > Finisher.extentsInInode ? allocator.takeRun(1).lowerBound : nil
    resizeBlock = allocator.takeRun(1).lowerBound
    blockBitmaps = allocator.takeAll(groups).flatMap { Array($0) }
    inodeBitmaps = allocator.takeAll(groups).flatMap { Array($0) }
    var tables: [Int] = []
    for _ in 0..<groups {
      tables.append(allocator.takeRun(inodesPerGroup / Ext4.inodesPerBlock).lowerBound)
    }
    inodeTables = tables
    descriptorBlocks = Ext4.divideUp(groups, Ext4.descriptorsPerBlock)
    reserved = allocator.reserved
    end = allocator.next
    self.dropped = dropped
    free = (allocator.gaps + dropped).sorted { $0.lowerBound < $1.lowerBound }
  }

  /// Blocks up to the last one used, in a file system of `total`.
  private static func needed(
    _ total: Int, _ allocator: BlockAllocator, _ usedInodes: Int
  ) -> Int {
    let groups = Ext4.divideUp(wanted(inodes: usedInodes), 32768)
    return max(
      Layout(total: total, allocator, usedInodes: usedInodes, dropped: []).end,
      (groups - 1) * Ext4.blocksPerGroup + 1)
  }

  /// The smallest size from `least` on that holds all and has `free` blocks behind it.
  ///
  /// - Parameter most: blocks that there are descriptors for.
  private static func fitting(
    _ least: Int, free: Int, most: Int, _ allocator: BlockAllocator, _ usedInodes: Int
  ) throws(Ext4Error) -> Int {
    var total = whole(least, allocator.reserved, usedInodes)
    while true {
      if total > most {
        let size = UInt64(Ext4.blockSize)
        throw Ext4Error(
          [], .beyondMaximum(needed: UInt64(total) * size, maximum: UInt64(most) * size))
      }
      let end = needed(total, allocator, usedInodes)
      let groups = Ext4.divideUp(max(total, end), Ext4.blocksPerGroup)
      let copies = (Ext4.divideUp(end, Ext4.blocksPerGroup)..<groups)
        .count { Ext4.hasBackup($0) }
      let wanted = end + free + copies * allocator.reserved
      if wanted <= total { return total }
      total = whole(wanted, allocator.reserved, usedInodes)
    }
  }

  /// A fifth more than are used, so that a small system full of files can go on.
  private static func wanted(inodes used: Int) -> Int { used + used / 5 + 16 }

  /// What the tree needs, or one inode for 16 KiB, 32 KiB from 4 TiB on and 64 KiB from 16 TiB
  /// on, as mke2fs has it; a bitmap's bits at most.
  private static func inodesPerGroup(_ total: Int, _ used: Int) -> Int {
    let groups = Ext4.divideUp(total, Ext4.blocksPerGroup)
    let blocksPerInode = total < 1 << 30 ? 4 : total < 1 << 32 ? 8 : 16
    let count = Ext4.divideUp(max(wanted(inodes: used), total / blocksPerInode), groups)
    return min(Ext4.divideUp(count, Ext4.inodesPerBlock) * Ext4.inodesPerBlock, 32768)
  }

  /// Blocks that mke2fs asks of a last group to be worth keeping.
  private static func smallestGroup(
    _ total: Int, _ reserved: Int, _ used: Int
  ) -> Int {
    let last = Ext4.divideUp(total, Ext4.blocksPerGroup) - 1
    let table = inodesPerGroup(total, used) / Ext4.inodesPerBlock
    return 2 + table + (Ext4.hasBackup(last) ? reserved : 0) + 50
  }

  /// Up to a MiB, and to a last group that is large enough.
  private static func whole(_ blocks: Int, _ reserved: Int, _ used: Int) -> Int {
    let total = Ext4.divideUp(blocks, 256) * 256
    let stump = total % Ext4.blocksPerGroup
    let smallest = smallestGroup(total, reserved, used)
    if stump == 0 || stump >= smallest { return total }
    return total - stump + Ext4.divideUp(smallest, 256) * 256
  }

  /// Without a last group that is too small.
  private static func withoutStump(_ total: Int, _ reserved: Int, _ used: Int) -> Int {
    let stump = total % Ext4.blocksPerGroup
    if total < Ext4.blocksPerGroup || stump == 0 { return total }
    return stump < smallestGroup(total, reserved, used) ? total - stump : total
  }

  /// The journal's size as mke2fs chooses it (e2fsprogs lib/ext2fs/mkjournal.c).
  private static func journalBlocks(_ total: Int) -> Int {
    let steps = [
      (32768, 1024), (262_144, 4096), (524_288, 8192), (4_194_304, 16384), (8_388_608, 32768),
      (16_777_216, 65536), (33_554_432, 131_072),
    ]
    return steps.first { total < $0.0 }?.1 ?? 262_144
  }
}
