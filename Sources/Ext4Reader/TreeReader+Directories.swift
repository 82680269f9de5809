internal import FileTree

// Directories: Documentation/filesystems/ext4/directory.rst.
extension TreeReader {
  /// One entry of a directory's block.
  private struct Entry {
    let inode: UInt32
    let type: UInt8?
    let name: ArraySlice<UInt8>
  }

  /// Reads a directory's names in the order they are stored, and its index where it has one.
  func readDirectory(
    _ inode: InodeRecord, parent: UInt32, into node: FileTree.Node
  ) throws {
    let blocks = try directoryBlocks(of: inode)
    let indexed = inode.flags & InodeRecord.Flag.index != 0
    let nodes = indexed ? try indexNodes(of: inode, blocks) : []
    var subdirectories = 0
    for (logical, block) in blocks.enumerated() where !nodes.contains(logical) {
      let isRoot = indexed && logical == 0
      let bytes = try bytes(ofBlock: block)
      var entries = try entries(bytes, inode, block, hasTail: !isRoot)
      if logical == 0 {
        try checkDots(entries, inode, parent: parent, block)
        entries.removeFirst(2)
      }
      for entry in entries where entry.inode != 0 {
        if try add(entry.name, entry.inode, type: entry.type, of: inode, to: node) {
          subdirectories += 1
        }
      }
    }
    let mayOverflow =
      superblock.readOnlyCompatible & Superblock.Feature.directoryLinks != 0 && inode.links == 1
    guard Int(inode.links) == subdirectories + 2 || mayOverflow else {
      throw Ext4ReadError(
        inode: inode.number,
        "it has \(subdirectories) directories in it and a link count of \(inode.links)")
    }
  }

  /// The blocks of a directory in order; it has no holes.
  private func directoryBlocks(of inode: InodeRecord) throws -> [UInt64] {
    let blockSize = UInt64(superblock.blockSize)
    let count = inode.size / blockSize
    guard inode.size % blockSize == 0, count > 0, count <= superblock.blockCount else {
      throw Ext4ReadError(inode: inode.number, "a directory of \(inode.size) bytes")
    }
    var runs: [BlockRun] = []
    try map(inode, into: &runs)
    directoryBlocks += count
    guard directoryBlocks <= superblock.blockCount else {
      throw Ext4ReadError(inode: inode.number, "directories have more blocks than there are")
    }
    var blocks: [UInt64] = []
    for run in runs where UInt64(blocks.count) < count {
      guard Int(run.logical) == blocks.count else { break }
      blocks += run.physical..<run.physical + UInt64(run.count)
    }
    guard UInt64(blocks.count) >= count else {
      throw Ext4ReadError(
        inode: inode.number, "the directory's block \(blocks.count) of \(count) is missing")
    }
    return Array(blocks.prefix(Int(count)))
  }

  private func entries(
    _ bytes: [UInt8], _ inode: InodeRecord, _ block: UInt64, hasTail: Bool
  ) throws -> [Entry] {
    var end = bytes.count
    if hasTail, superblock.hasChecksums {
      end -= 12
      guard bytes.little32(end) == 0, bytes.little16(end + 4) == 12, bytes[end + 7] == 0xde else {
        throw Ext4ReadError(inode: inode.number, block: block, "the block has no checksum")
      }
      try check(
        bytes.little32(end + 8), checksum(inode.seed, bytes[..<end]), "the names' checksum",
        inode: inode.number, block: block)
    }
    let hasTypes = superblock.incompatible & Superblock.Feature.fileType != 0
    var entries: [Entry] = []
    var offset = 0
    while offset < end {
      guard end - offset >= 8 else {
        throw Ext4ReadError(inode: inode.number, block: block, "an entry at \(offset) is cut off")
      }
      let length = Self.length(bytes.little16(offset + 4), bytes.count)
      let nameLength = Int(bytes[offset + 6]) | (hasTypes ? 0 : Int(bytes[offset + 7]) << 8)
      let number = bytes.little32(offset)
      guard length >= 12 || length == end - offset, length >= 8, length % 4 == 0,
        length <= end - offset, nameLength <= min(255, length - 8), number == 0 || nameLength > 0
      else {
        throw Ext4ReadError(
          inode: inode.number, block: block,
          "an entry at \(offset) of \(length) bytes with a name of \(nameLength)")
      }
      entries.append(
        Entry(
          inode: number, type: hasTypes ? bytes[offset + 7] : nil,
          name: bytes[offset + 8..<offset + 8 + nameLength]))
      offset += length
    }
    return entries
  }

  /// An entry's length; blocks of 64 KiB need the two lowest bits for more of it.
  private static func length(_ stored: UInt16, _ blockSize: Int) -> Int {
    let value = Int(stored)
    if blockSize < 65536 { return value }
    if value == 0xffff || value == 0 { return blockSize }
    return value & 0xfffc | (value & 3) << 16
  }

  private func checkDots(
    _ entries: [Entry], _ inode: InodeRecord, parent: UInt32, _ block: UInt64
  ) throws {
    guard entries.count >= 2, entries[0].name == [0x2e], entries[0].inode == inode.number,
      entries[1].name == [0x2e, 0x2e], entries[1].inode == parent
    else {
      let found = entries.prefix(2).map { "'\(printable($0.name))' of inode \($0.inode)" }
      throw Ext4ReadError(
        inode: inode.number, block: block,
        "it begins with \(found.joined(separator: " and ")), not '.' and '..' of inode \(parent)")
    }
  }
}

// MARK: - Indexes

extension TreeReader {
  private struct IndexNode {
    let logical: Int
    /// Where the entries begin in the block.
    let offset: Int
    /// Levels of nodes below.
    let levels: UInt8
  }

  /// The blocks of a directory that hold its index, the root not counted.
  ///
  /// Every other block must be reached from the index, and once.
  private func indexNodes(of inode: InodeRecord, _ blocks: [UInt64]) throws -> Set<Int> {
    let root = try bytes(ofBlock: blocks[0])
    let most = superblock.incompatible & Superblock.Feature.largeDirectories != 0 ? 2 : 1
    guard root.little16(4) == 12, Int(root.little16(16)) == root.count - 12 || root.count == 65536,
      root.little32(0x18) == 0, root[0x1c] <= 5, root[0x1d] == 8, root[0x1e] <= most
    else {
      throw Ext4ReadError(
        inode: inode.number, block: blocks[0],
        "no index: hash \(root[0x1c]), \(root[0x1d]) bytes, \(root[0x1e]) levels")
    }
    var nodes: Set<Int> = []
    var reached: Set<Int> = []
    var pending = [IndexNode(logical: 0, offset: 0x20, levels: root[0x1e])]
    while let node = pending.popLast() {
      let bytes = try bytes(ofBlock: blocks[node.logical])
      let count = try checkIndex(bytes, node, inode, blocks[node.logical])
      var hash: UInt32 = 0
      for slot in 0..<count {
        let place = node.offset + slot * 8
        let child = Int(bytes.little32(place + 4) & 0xfff_ffff)
        let next = slot == 0 ? 0 : bytes.little32(place)
        guard child > 0, child < blocks.count, reached.insert(child).inserted,
          slot == 0 || next > hash || (slot == 1 && next >= hash)
        else {
          throw Ext4ReadError(
            inode: inode.number, block: blocks[node.logical],
            "the index leads to the directory's block \(child) by hash \(hexadecimal(next))")
        }
        hash = next
        if node.levels > 0 {
          nodes.insert(child)
          pending.append(IndexNode(logical: child, offset: 8, levels: node.levels - 1))
        }
      }
    }
    guard reached.count == blocks.count - 1 else {
      throw Ext4ReadError(
        inode: inode.number,
        "the index reaches \(reached.count) of \(blocks.count - 1) blocks of names")
    }
    return nodes
  }

  /// Checks a node of an index and gives the number of its entries.
  private func checkIndex(
    _ bytes: [UInt8], _ node: IndexNode, _ inode: InodeRecord, _ block: UInt64
  ) throws -> Int {
    let tail = superblock.hasChecksums ? 8 : 0
    let (limit, count) = (
      Int(bytes.little16(node.offset)), Int(bytes.little16(node.offset + 2))
    )
    guard limit == (bytes.count - node.offset - tail) / 8, (1...limit).contains(count) else {
      throw Ext4ReadError(
        inode: inode.number, block: block, "an index of \(count) entries, \(limit) at most")
    }
    guard superblock.hasChecksums else { return count }
    let end = node.offset + limit * 8
    let start = checksum(inode.seed, bytes[..<(node.offset + count * 8)])
    let sum = checksum(checksum(start, bytes[end..<end + 4]), UInt32(0))
    try check(
      bytes.little32(end + 4), sum, "the index's checksum", inode: inode.number, block: block)
    return count
  }
}
