/// Sizes that are the same in every file system written here.
enum Ext4 {
  static let blockSize = 4096
  static let blocksPerGroup = 32768
  static let inodeSize = 256
  static let inodesPerBlock = blockSize / inodeSize
  /// The first block whose number needs more than 32 bits: at 16 TiB.
  static let firstWideBlock = 1 << 32
  /// The longest extent of written blocks.
  static let longestExtent = 32768
  static let rootInode: UInt32 = 2
  static let resizeInode: UInt32 = 7
  static let journalInode: UInt32 = 8
  static let firstInode: UInt32 = 11
  /// Logical block numbers have 32 bits and the last one is not used.
  static let largestFile = (1 << 32 - 1) * blockSize

  /// Whether a group begins with a copy of the superblock: 0, 1 and powers of 3, 5 and 7
  /// (feature sparse_super).
  static func hasBackup(_ group: Int) -> Bool {
    if group <= 1 { return true }
    for base in [3, 5, 7] {
      var power = base
      while power < group { power *= base }
      if power == group { return true }
    }
    return false
  }

  /// The first group after one that begins with a copy.
  static func nextBackup(after group: Int) -> Int {
    var next = group + 1
    while !hasBackup(next) { next += 1 }
    return next
  }

  static func divideUp(_ value: Int, _ unit: Int) -> Int { (value + unit - 1) / unit }
}
