// Directory blocks: one block of names in order, or an index by hash over many.
extension Finisher {
  /// Writes a directory.
  ///
  /// - Parameter names: sorted; without `.` and `..`.
  /// - Returns: the number of its content.
  func placeDirectory(
    _ names: [DirectoryName], inode: UInt32, parent: UInt32, path: @autoclosure () -> [UInt8]
  ) throws -> Int {
    let format = DirectoryFormat(hasTail: options.profile.hasMetadataChecksums)
    var target = DirectoryBlock(block, format, checksum(ofInode: inode))
    let dots = [
      DirectoryName(name: [0x2e], inode: inode, typeBits: 0o040000),
      DirectoryName(name: [0x2e, 0x2e], inode: parent, typeBits: 0o040000),
    ]
    let length = names.reduce(24) { $0 + $1.length }
    if length <= format.capacity {
      // Room in lost+found is made ahead: e2fsck needs it when little else works.
      let count = inode == Ext4.firstInode && names.isEmpty ? 4 : 1
      return try writeBlocks(count) { index in
        target.reset()
        if index == 0 { for entry in dots + names { target.add(entry) } }
        target.close()
      }
    }
    let index = DirectoryIndex(names, hasher, format)
    guard index.fits else { throw Ext4Error(path(), .directoryTooLarge(names.count)) }
    let nodes = index.nodes
    let firstLeaf = 1 + nodes.count
    return try writeBlocks(firstLeaf + index.leaves.count) { number in
      target.reset()
      if number == 0 {
        writeRoot(target, dots, index, nodes, firstLeaf)
      } else if number < firstLeaf {
        // An unused entry over the whole block hides the index from what can't read it.
        block.putLow16(Ext4.blockSize, at: 4)
        let entries = nodes[number - 1].map {
          (hash: index.hash(ofLeaf: $0), block: UInt32(firstLeaf + $0))
        }
        target.closeIndex(at: 8, entries)
      } else {
        for item in index.items(of: number - firstLeaf) { target.add(names[Int(item.position)]) }
        target.close()
      }
    }
  }

  private func writeRoot(
    _ target: DirectoryBlock, _ dots: [DirectoryName], _ index: DirectoryIndex,
    _ nodes: [Range<Int>], _ firstLeaf: Int
  ) {
    target.put(dots[0], at: 0, length: 12)
    target.put(dots[1], at: 12, length: Ext4.blockSize - 12)
    // struct dx_root_info: hash version half MD4, its length, levels below the root.
    block.put(UInt8(1), at: 28)
    block.put(UInt8(8), at: 29)
    block.put(UInt8(nodes.isEmpty ? 0 : 1), at: 30)
    let entries: [(hash: UInt32, block: UInt32)] =
      nodes.isEmpty
      ? index.leaves.indices.map { (index.hash(ofLeaf: $0), UInt32(firstLeaf + $0)) }
      : nodes.enumerated().map { (index.hash(ofLeaf: $1.lowerBound), UInt32(1 + $0)) }
    target.closeIndex(at: 32, entries)
  }

  /// Allocates blocks for a new content and writes each after `fill` has built it in `block`.
  private func writeBlocks(_ count: Int, _ fill: (Int) throws -> Void) throws -> Int {
    writer.contents.begin()
    var number = 0
    for run in writer.allocator.takeAll(count) {
      writer.contents.add(logical: number, run)
      for physical in run {
        try fill(number)
        try writer.output.write(block, at: physical * Ext4.blockSize)
        number += 1
      }
    }
    return writer.contents.end(size: count * Ext4.blockSize)
  }
}
