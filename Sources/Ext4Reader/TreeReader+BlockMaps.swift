// Block maps as ext2 and ext3 have them: twelve blocks, then three trees of block numbers.
extension TreeReader {
  /// Adds the runs of a block map.
  ///
  /// - Returns: blocks taken, those with block numbers among them.
  func mapBlocks(_ inode: InodeRecord, into runs: inout [BlockRun]) throws -> UInt64 {
    let blockSize = UInt64(superblock.blockSize)
    let total = inode.size / blockSize + (inode.size % blockSize == 0 ? 0 : 1)
    let perBlock = blockSize / 4
    let most = 12 + perBlock + perBlock * perBlock + perBlock * perBlock * perBlock
    guard total <= min(most, 1 << 32) else {
      throw Ext4ReadError(inode: inode.number, "its size of \(inode.size) bytes is too large")
    }
    var map = BlockMap(inode: inode, total: total, perBlock: perBlock)
    map.firstRun = runs.count
    swap(&map.runs, &runs)
    defer { swap(&map.runs, &runs) }
    for slot in 0..<12 { try follow(inode.root.little32(slot * 4), level: 0, &map) }
    for level in 1...3 { try follow(inode.root.little32((11 + level) * 4), level: level, &map) }
    return map.taken
  }

  private struct BlockMap {
    let inode: InodeRecord
    /// Blocks of the file, and how many of them a block of numbers speaks of.
    let total: UInt64
    let perBlock: UInt64
    var logical: UInt64 = 0
    var taken: UInt64 = 0
    var runs: [BlockRun] = []
    /// Where this inode's runs begin.
    var firstRun = 0
  }

  private func follow(_ block: UInt32, level: Int, _ map: inout BlockMap) throws {
    guard map.logical < map.total else { return }
    if block == 0 {
      map.logical += (0..<level).reduce(1) { span, _ in span * map.perBlock }
      return
    }
    try claim(UInt64(block), 1, map.inode.number)
    map.taken += 1
    try checkTaken(map.taken, map.inode)
    guard level == 0 else {
      let bytes = try bytes(ofBlock: UInt64(block))
      for slot in 0..<Int(map.perBlock) {
        try follow(bytes.little32(slot * 4), level: level - 1, &map)
      }
      return
    }
    let logical = UInt32(truncatingIfNeeded: map.logical)
    map.logical += 1
    if map.runs.count > map.firstRun, let last = map.runs.last,
      last.logical + last.count == logical,
      last.physical + UInt64(last.count) == UInt64(block)
    {
      map.runs[map.runs.count - 1].count += 1
    } else {
      map.runs.append(BlockRun(logical: logical, count: 1, physical: UInt64(block)))
    }
  }
}
