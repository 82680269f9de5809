internal import FileTree

// The inode tables.
extension Finisher {
  /// Writes the used part of every inode table; the rest reads as zeros already.
  func writeInodeTables(_ layout: Layout) throws {
    let perGroup = layout.inodesPerGroup
    let chunk = UnsafeMutableRawBufferPointer.allocate(
      byteCount: 16 * Ext4.blockSize, alignment: Ext4.blockSize)
    defer { chunk.deallocate() }
    let perChunk = chunk.count / Ext4.inodeSize
    var index = 0
    while index < plan.usedInodes {
      let (group, offset) = index.quotientAndRemainder(dividingBy: perGroup)
      let count = min(perChunk, perGroup - offset, plan.usedInodes - index)
      chunk.clear()
      for slot in 0..<count {
        let number = UInt32(truncatingIfNeeded: index + slot + 1)
        guard let image = image(of: number, layout) else { continue }
        let start = slot * Ext4.inodeSize
        clampedTimes += image.encode(
          into: chunk.part(start..<start + Ext4.inodeSize), checksum(ofInode: number))
      }
      let blocks = Ext4.divideUp(count, Ext4.inodesPerBlock)
      let place = layout.inodeTables[group] + offset / Ext4.inodesPerBlock
      try writer.output.write(
        chunk.part(0..<blocks * Ext4.blockSize), at: place * Ext4.blockSize)
      index += count
    }
  }

  /// What an inode number stands for; nil for the reserved ones that are not used.
  private func image(of number: UInt32, _ layout: Layout) -> InodeImage? {
    switch number {
    case Ext4.rootInode: return image(of: FileTree.root)
    case Ext4.resizeInode: return layout.resizeBlock.map { resizeImage(layout, block: $0) }
    case Ext4.journalInode: return journalImage(layout)
    case ..<Ext4.firstInode: return nil
    case ..<plan.firstNumber: return lostAndFoundImage()
    default: return image(of: plan.order[Int(number - plan.firstNumber)])
    }
  }

  private func image(of node: FileTree.Node) -> InodeImage {
    let attributes = tree[node]
    let type = tree.typeBits(of: node)
    let content = content(of: node)
    let stored = takeAttributes(of: node)
    var image = InodeImage(
      mode: type | attributes.permissions, accessed: attributes.accessed,
      modified: attributes.modified, changed: attributes.changed,
      created: attributes.created ?? FileTime(seconds: options.creationTime), root: [])
    image.uid = attributes.uid
    image.gid = attributes.gid
    image.links = linkCount(of: node)
    image.size = content.map { writer.contents.size($0) } ?? 0
    image.blocks = blockCount(content) + (stored.block == 0 ? 0 : 1)
    image.attributes = stored.inodePart
    image.attributeBlock = stored.block
    image.flags = attributes.flags & Ext4Writer.keptFlags(ofType: type)
    switch tree.kind(of: node) {
    case .directory, .regular:
      image.flags |= InodeImage.extentsFlag
      if isIndexed(node, image.size) { image.flags |= InodeImage.indexFlag }
      image.root = extentRoot(content)
    case .symbolicLink(let target):
      if content == nil {
        image.size = target.count
        image.root = target
      } else {
        image.flags |= InodeImage.extentsFlag
        image.root = extentRoot(content)
      }
    case .characterDevice(let major, let minor), .blockDevice(let major, let minor):
      image.root = Self.deviceRoot(major, minor)
    case .fifo, .socket: break
    }
    return image
  }

  /// Whether a directory has an index: all of more than one block, but for an empty lost+found.
  private func isIndexed(_ node: FileTree.Node, _ size: Int) -> Bool {
    tree.isDirectory(node) && size > Ext4.blockSize && tree.childCount(of: node) > 0
  }

  private func linkCount(of node: FileTree.Node) -> Int {
    guard tree.isDirectory(node) else { return tree.linkCount(of: node) }
    var count = 2
    for entry in plan.entries(of: node, tree) where tree.isDirectory(tree.node(ofEntry: entry)) {
      count += 1
    }
    if node == FileTree.root, plan.makesLostAndFound { count += 1 }
    // Feature dir_nlink: 1 stands for more than can be counted.
    return count > 65000 ? 1 : count
  }

  /// Device numbers: the old 16-bit form where it holds them, else the new one in the next word.
  private static func deviceRoot(_ major: UInt32, _ minor: UInt32) -> [UInt8] {
    var root = [UInt8](repeating: 0, count: 8)
    root.withUnsafeMutableBytes { bytes in
      if major < 256, minor < 256 {
        bytes.put(major << 8 | minor, at: 0)
      } else {
        bytes.put(minor & 0xff | major << 8 | (minor & ~0xff) << 12, at: 4)
      }
    }
    return root
  }

  private func lostAndFoundImage() -> InodeImage {
    var image = reservedImage(mode: 0o040700)
    image.links = 2
    image.flags = InodeImage.extentsFlag
    image.size = writer.contents.size(lostAndFoundContent)
    image.blocks = blockCount(lostAndFoundContent)
    image.root = extentRoot(lostAndFoundContent)
    return image
  }

  /// An inode of root's, as old as the file system.
  func reservedImage(mode: UInt16) -> InodeImage {
    let time = FileTime(seconds: options.creationTime)
    return InodeImage(
      mode: mode, accessed: time, modified: time, changed: time, created: time, root: [])
  }
}
