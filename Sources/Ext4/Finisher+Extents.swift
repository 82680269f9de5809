// Extent trees: four extents in the inode, or a tree of blocks with 340 each.
extension Finisher {
  private static let perBlock = (Ext4.blockSize - 12) / 12
  static let extentsInInode = 4

  /// An entry of a level above the leaves.
  private struct Branch {
    var logical: UInt32
    var block: Int
  }

  /// Writes the blocks of a content's extent tree where it needs any.
  func placeExtentTree(_ content: Int, inode: UInt32) throws {
    let extents = writer.contents.extents(content)
    guard extents.count > Self.extentsInInode else { return }
    deepRoots[content] = try writeExtentTree(Array(extents), inode: inode) {
      writer.allocator.takeRun(1).lowerBound
    }
  }

  /// Writes an extent tree and gives its root.
  ///
  /// - Parameter allocate: gives a block for each node of the tree.
  func writeExtentTree(
    _ extents: [Extent], inode: UInt32, allocate: () -> Int
  ) throws -> ExtentRoot {
    if extents.count <= Self.extentsInInode {
      return ExtentRoot(bytes: Self.inlineRoot(extents), blocks: 0)
    }
    let checksum = checksum(ofInode: inode)
    var count = 0
    func place() -> Int {
      count += 1
      return allocate()
    }
    var level = try writeLevel(extents, depth: 0, checksum, place) {
      $0.putExtent($1, at: $2)
      return $1.logical
    }
    var depth = 1
    while level.count > Self.extentsInInode {
      level = try writeLevel(level, depth: depth, checksum, place) {
        $0.putBranch($1.logical, $1.block, at: $2)
        return $1.logical
      }
      depth += 1
    }
    var root = [UInt8](repeating: 0, count: 60)
    root.withUnsafeMutableBytes { bytes in
      bytes.putExtentHeader(entries: level.count, limit: Self.extentsInInode, depth: depth)
      for (index, branch) in level.enumerated() {
        bytes.putBranch(branch.logical, branch.block, at: 12 + index * 12)
      }
    }
    return ExtentRoot(bytes: root, blocks: count)
  }

  /// Writes one level's blocks and gives what the level above says of them.
  private func writeLevel<Item>(
    _ items: [Item], depth: Int, _ checksum: MetadataChecksum, _ place: () -> Int,
    _ put: (UnsafeMutableRawBufferPointer, Item, Int) -> UInt32
  ) throws -> [Branch] {
    var branches: [Branch] = []
    for start in stride(from: 0, to: items.count, by: Self.perBlock) {
      let part = items[start..<min(start + Self.perBlock, items.count)]
      block.clear()
      block.putExtentHeader(entries: part.count, limit: Self.perBlock, depth: depth)
      var first: UInt32?
      for (index, item) in part.enumerated() {
        let logical = put(block, item, 12 + index * 12)
        if first == nil { first = logical }
      }
      let tail = 12 + Self.perBlock * 12
      block.put(checksum.over(block.part(0..<tail)).value, at: tail)
      let physical = place()
      try writer.output.write(block, at: physical * Ext4.blockSize)
      branches.append(Branch(logical: first ?? 0, block: physical))
    }
    return branches
  }

  /// The inode's 60 bytes for a content; an empty list of extents for none.
  func extentRoot(_ content: Int?) -> [UInt8] {
    if let content, let deep = deepRoots[content] { return deep.bytes }
    let extents = content.map { Array(writer.contents.extents($0)) } ?? []
    return Self.inlineRoot(extents)
  }

  static func inlineRoot(_ extents: [Extent]) -> [UInt8] {
    var root = [UInt8](repeating: 0, count: 60)
    root.withUnsafeMutableBytes { bytes in
      bytes.putExtentHeader(entries: extents.count, limit: extentsInInode, depth: 0)
      for (index, extent) in extents.enumerated() {
        bytes.putExtent(extent, at: 12 + index * 12)
      }
    }
    return root
  }

  /// Blocks a content takes, those of its extent tree among them.
  func blockCount(_ content: Int?) -> Int {
    guard let content else { return 0 }
    return writer.contents.extents(content).reduce(deepRoots[content]?.blocks ?? 0) {
      $0 + Int($1.count)
    }
  }
}

extension UnsafeMutableRawBufferPointer {
  fileprivate func putExtentHeader(entries: Int, limit: Int, depth: Int) {
    put(UInt16(0xf30a), at: 0)
    putLow16(entries, at: 2)
    putLow16(limit, at: 4)
    putLow16(depth, at: 6)
  }

  fileprivate func putExtent(_ extent: Extent, at offset: Int) {
    put(extent.logical, at: offset)
    putLow16(Int(extent.count), at: offset + 4)
    putLow16(extent.physical >> 32, at: offset + 6)
    putLow32(extent.physical, at: offset + 8)
  }

  fileprivate func putBranch(_ logical: UInt32, _ block: Int, at offset: Int) {
    put(logical, at: offset)
    putLow32(block, at: offset + 4)
    putLow16(block >> 32, at: offset + 8)
  }
}
