/// Gives out blocks in ascending order, around the areas kept for superblocks and descriptors.
struct BlockAllocator {
  /// Blocks at the start of a group with a copy: the superblock, the descriptors, and what is
  /// reserved for more descriptors.
  let reserved: Int
  /// The first block never given out.
  private(set) var next: Int
  /// Blocks below `next` that were jumped over.
  private(set) var gaps: [Range<Int>] = []
  private var backupGroup = 1

  init(reserved: Int) {
    self.reserved = reserved
    next = reserved
  }

  private var backupStart: Int { backupGroup * Ext4.blocksPerGroup }

  private mutating func skipReserved() {
    if next == backupStart {
      next += reserved
      backupGroup = Ext4.nextBackup(after: backupGroup)
    }
  }

  /// A run of at least one block and at most `count`.
  mutating func take(upTo count: Int) -> Range<Int> {
    skipReserved()
    let start = next
    next = min(start + count, backupStart)
    return start..<next
  }

  /// Exactly `count` blocks in one run; `count` is below half a group.
  mutating func takeRun(_ count: Int) -> Range<Int> {
    skipReserved()
    if next + count > backupStart {
      gaps.append(next..<backupStart)
      next = backupStart
      skipReserved()
    }
    return take(upTo: count)
  }

  /// `count` blocks in as few runs as there can be.
  mutating func takeAll(_ count: Int) -> [Range<Int>] {
    var runs: [Range<Int>] = []
    var rest = count
    while rest > 0 {
      let run = take(upTo: rest)
      rest -= run.count
      runs.append(run)
    }
    return runs
  }
}
