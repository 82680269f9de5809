internal import FileTree

// Extended attributes: in the inode where they fit, else in a block that equal sets share.
extension Finisher {
  /// How many inodes may share a block; the kernel refuses more (EXT4_XATTR_REFCOUNT_MAX).
  private static let mostSharers = 1024

  /// Writes the blocks of the node's set of attributes when the set is met first.
  func placeAttributes(of node: FileTree.Node) throws {
    let set = tree.attributeSet(of: node)
    if set == 0 || attributeBlocks[set] != nil { return }
    let encoding = try AttributeEncoding(
      tree[node].extended, path: { tree.path(of: node) })
    var blocks: [Int] = []
    if encoding.needsBlock {
      var uses = plan.attributeSetUses[set] ?? 1
      while uses > 0 {
        let physical = writer.allocator.takeRun(1).lowerBound
        encoding.encodeBlock(
          into: block, number: physical, uses: min(uses, Self.mostSharers), checksum)
        try writer.output.write(block, at: physical * Ext4.blockSize)
        blocks.append(physical)
        uses -= Self.mostSharers
      }
    }
    attributeBlocks[set] = AttributeBlocks(inodePart: encoding.inodePart, blocks: blocks)
  }

  /// What the next inode with the node's set stores: bytes in the inode, and a block or 0.
  func takeAttributes(of node: FileTree.Node) -> (inodePart: [UInt8], block: Int) {
    let set = tree.attributeSet(of: node)
    guard set != 0, let stored = attributeBlocks[set] else { return ([], 0) }
    if stored.blocks.isEmpty { return (stored.inodePart, 0) }
    attributeBlocks[set]?.given += 1
    return (stored.inodePart, stored.blocks[stored.given / Self.mostSharers])
  }
}
