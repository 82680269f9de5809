/// Where everything that describes the contents lies.
struct Layout {
  /// Blocks in all.
  let total: Int
  let groups: Int
  let inodesPerGroup: Int
  let journal: [Extent]
  /// The block of the journal's extents, where the inode does not hold them all.
  let journalIndex: Int?
  /// The resize inode's block of pointers to descriptor blocks; nil where there is nothing to
  /// point to, or from 16 TiB on, where its 32-bit pointers don't reach.
  let resizeBlock: Int?
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

  /// Blocks kept for more descriptors, at each copy.
  var spareDescriptorBlocks: Int { reserved - 1 - descriptorBlocks }

  /// - Parameter dropped: runs of blocks with content that no inode has.
  init(_ sizing: LayoutSizing, total: Int, dropped: [Range<Int>] = []) {
    var allocator = sizing.allocator
    self.total = total
    groups = Ext4.divideUp(total, Ext4.blocksPerGroup)
    inodesPerGroup = sizing.inodesPerGroup(total)
    descriptorBlocks = Ext4.divideUp(groups, sizing.profile.descriptorsPerBlock)
    reserved = allocator.reserved
    journal = ContentStore.extents(of: allocator.takeAll(LayoutSizing.journalBlocks(total)))
    journalIndex =
      journal.count > Finisher.extentsInInode ? allocator.takeRun(1).lowerBound : nil
    let resizes = reserved > 1 + descriptorBlocks && total < Ext4.firstWideBlock
    resizeBlock = resizes ? allocator.takeRun(1).lowerBound : nil
    blockBitmaps = allocator.takeAll(groups).flatMap { Array($0) }
    inodeBitmaps = allocator.takeAll(groups).flatMap { Array($0) }
    var tables: [Int] = []
    for _ in 0..<groups {
      tables.append(allocator.takeRun(inodesPerGroup / Ext4.inodesPerBlock).lowerBound)
    }
    inodeTables = tables
    end = allocator.next
    self.dropped = dropped
    free = (allocator.gaps + dropped).sorted { $0.lowerBound < $1.lowerBound }
  }
}
