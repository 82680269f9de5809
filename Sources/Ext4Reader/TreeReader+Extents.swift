// Extent trees: Documentation/filesystems/ext4/ifork.rst.
extension TreeReader {
  /// A node still to be read, and the file's blocks that it may speak of.
  private struct PendingNode {
    let block: UInt64
    let depth: UInt16
    let range: Range<UInt64>
  }

  /// Adds the runs of an extent tree; those not written yet read as zeros and are left out.
  ///
  /// - Returns: blocks taken, the tree's own among them.
  func mapExtents(_ inode: InodeRecord, into runs: inout [BlockRun]) throws -> UInt64 {
    var taken: UInt64 = 0
    let depth = inode.root.little16(6)
    guard depth <= 5 else {
      throw Ext4ReadError(inode: inode.number, "its extent tree is \(depth) levels deep")
    }
    // The next node is last.
    var pending: [PendingNode] = []
    try readNode(
      inode.root, PendingNode(block: 0, depth: depth, range: 0..<1 << 32), inode, &pending, &runs,
      &taken)
    while let node = pending.popLast() {
      try claim(node.block, 1, inode.number)
      taken += 1
      let bytes = try bytes(ofBlock: node.block)
      if superblock.hasChecksums {
        let end = 12 + Int(bytes.little16(4)) * 12
        guard end + 4 <= bytes.count else {
          throw Ext4ReadError(
            inode: inode.number, block: node.block, "room for \(bytes.little16(4)) extents")
        }
        try check(
          bytes.little32(end), checksum(inode.seed, bytes[..<end]), "the extents' checksum",
          inode: inode.number, block: node.block)
      }
      guard bytes.little16(2) > 0 else {
        throw Ext4ReadError(inode: inode.number, block: node.block, "a node without extents")
      }
      try readNode(bytes, node, inode, &pending, &runs, &taken)
    }
    return taken
  }

  private func readNode(
    _ bytes: [UInt8], _ node: PendingNode, _ inode: InodeRecord, _ pending: inout [PendingNode],
    _ runs: inout [BlockRun], _ taken: inout UInt64
  ) throws {
    let (magic, count, most, depth) = (
      bytes.little16(0), Int(bytes.little16(2)), Int(bytes.little16(4)), bytes.little16(6)
    )
    let place = node.block == 0 ? nil : node.block
    guard magic == 0xf30a, count <= most, 12 + most * 12 <= bytes.count, depth == node.depth else {
      throw Ext4ReadError(
        inode: inode.number, block: place,
        "no extents: magic \(hexadecimal(magic)), \(count) of \(most), depth \(depth)")
    }
    if depth == 0 {
      try readLeaf(bytes, count, node, inode, &runs, &taken)
      return
    }
    var children: [PendingNode] = []
    var end = node.range.upperBound
    for index in (0..<count).reversed() {
      let start = UInt64(bytes.little32(12 + index * 12))
      guard node.range.contains(start), start < end else {
        throw Ext4ReadError(
          inode: inode.number, block: place, "the extents of block \(start) are out of order")
      }
      let block = bytes.little48(low: 16 + index * 12, high: 20 + index * 12)
      children.append(PendingNode(block: block, depth: depth - 1, range: start..<end))
      end = start
    }
    pending += children
  }

  private func readLeaf(
    _ bytes: [UInt8], _ count: Int, _ node: PendingNode, _ inode: InodeRecord,
    _ runs: inout [BlockRun], _ taken: inout UInt64
  ) throws {
    var next = node.range.lowerBound
    for offset in stride(from: 12, to: 12 + count * 12, by: 12) {
      let logical = bytes.little32(offset)
      let length = UInt32(bytes.little16(offset + 4))
      let physical =
        UInt64(bytes.little32(offset + 8)) | UInt64(bytes.little16(offset + 6)) << 32
      let isWritten = length <= 32768
      let blocks = isWritten ? length : length - 32768
      guard blocks > 0, UInt64(logical) >= next,
        UInt64(logical) + UInt64(blocks) <= node.range.upperBound
      else {
        throw Ext4ReadError(
          inode: inode.number, block: physical,
          "an extent of \(blocks) blocks at the file's block \(logical) is out of order")
      }
      next = UInt64(logical) + UInt64(blocks)
      try claim(physical, blocks, inode.number)
      taken += UInt64(blocks)
      if isWritten {
        runs.append(BlockRun(logical: logical, count: blocks, physical: physical))
      }
    }
    try checkTaken(taken, inode)
  }
}
