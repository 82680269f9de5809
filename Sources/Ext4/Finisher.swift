internal import FileTree

/// The blocks of extended attributes that inodes with one set share.
struct AttributeBlocks {
  var inodePart: [UInt8]
  var blocks: [Int]
  var given = 0
}

/// The root of a content's extents as an inode holds it.
struct ExtentRoot {
  /// 60 bytes.
  var bytes: [UInt8]
  /// Blocks of the tree outside the inode.
  var blocks: Int
}

/// Writes all that describes the contents, once the tree is known.
final class Finisher {
  let writer: Ext4Writer
  let tree: FileTree
  let plan: TreePlan
  let hasher: DirectoryHash
  let checksum: MetadataChecksum
  var options: Ext4Options { writer.options }

  /// One block to build things in.
  let block = UnsafeMutableRawBufferPointer.allocate(
    byteCount: Ext4.blockSize, alignment: Ext4.blockSize)

  private static let none = UInt32.max
  /// By node index: the number of what has the node's blocks.
  private var contentNumbers: [UInt32]
  /// By content number: whether an inode has it.
  private(set) var contentUsed: [Bool] = []
  private(set) var lostAndFoundContent = 0
  /// By content number, for those that need more than the inode's four extents.
  var deepRoots: [Int: ExtentRoot] = [:]
  /// By the number of the set.
  var attributeBlocks: [Int: AttributeBlocks] = [:]
  var journalRoot = ExtentRoot(bytes: [], blocks: 0)
  var clampedTimes = 0

  init(_ writer: Ext4Writer, _ tree: FileTree, _ plan: TreePlan) {
    self.writer = writer
    self.tree = tree
    self.plan = plan
    hasher = DirectoryHash(seed: writer.options.hashSeed.bytes)
    checksum = MetadataChecksum(writer.options)
    contentNumbers = Array(repeating: Self.none, count: tree.nodeLimit)
    contentUsed = Array(repeating: false, count: writer.contents.count)
  }

  deinit { block.deallocate() }

  func run() throws -> Ext4Summary {
    try place(FileTree.root)
    if plan.makesLostAndFound {
      lostAndFoundContent = try placeDirectory([], inode: Ext4.firstInode, parent: 2, path: [])
    }
    for node in plan.order { try place(node) }
    let sizing = LayoutSizing(
      allocator: writer.allocator, usedInodes: plan.usedInodes, profile: options.profile)
    let total = try sizing.total(options)
    return try writeMetadata(Layout(sizing, total: total, dropped: droppedExtents()))
  }

  func content(of node: FileTree.Node) -> Int? {
    let number = contentNumbers[node.index]
    return number == Self.none ? nil : Int(number)
  }

  /// Gives an inode the blocks it needs beside those that came as file content.
  private func place(_ node: FileTree.Node) throws {
    let inode = plan.number(of: node)
    var content: Int?
    switch tree.kind(of: node) {
    case .directory:
      let parent = tree.parent(of: node).map { plan.number(of: $0) } ?? Ext4.rootInode
      content = try placeDirectory(
        names(in: node), inode: inode, parent: parent, path: self.tree.path(of: node))
    case .regular(.bytes(let bytes)):
      if !bytes.isEmpty { content = try placeBytes(bytes) }
    case .regular(.reference(let number, let size)):
      content = try claim(number, size, node)
    case .symbolicLink(let target):
      if target.count >= 60 { content = try placeBytes(target) }
    case .fifo, .socket, .characterDevice, .blockDevice: break
    }
    if let content {
      contentNumbers[node.index] = UInt32(truncatingIfNeeded: content)
      try placeExtentTree(content, inode: inode)
    }
    try placeAttributes(of: node)
  }

  private func placeBytes(_ bytes: [UInt8]) throws -> Int {
    writer.begin([])
    try bytes.withUnsafeBytes { try writer.put($0) }
    return try writer.end()
  }

  /// Checks that a content is whole, and that no other inode has it.
  private func claim(_ number: UInt64, _ size: UInt64, _ node: FileTree.Node) throws -> Int {
    guard number < contentUsed.count, !contentUsed[Int(number)],
      writer.contents.size(Int(number)) == size
    else { throw Ext4Error(tree.path(of: node), .badContent) }
    contentUsed[Int(number)] = true
    return Int(number)
  }

  /// Runs of blocks whose content no inode has.
  private func droppedExtents() -> [Range<Int>] {
    var dropped: [Range<Int>] = []
    for (content, used) in contentUsed.enumerated() where !used {
      for extent in writer.contents.extents(content) {
        dropped.append(extent.physical..<extent.physical + Int(extent.count))
      }
    }
    return dropped
  }

  private func names(in directory: FileTree.Node) -> [DirectoryName] {
    var names = plan.entries(of: directory, tree).map { entry in
      let node = tree.node(ofEntry: entry)
      return DirectoryName(
        name: tree.name(ofEntry: entry), inode: plan.number(of: node),
        typeBits: tree.typeBits(of: node))
    }
    if directory == FileTree.root, plan.makesLostAndFound {
      let name = TreePlan.lostAndFound[...]
      let place =
        names.firstIndex { name.lexicographicallyPrecedes($0.name) } ?? names.endIndex
      names.insert(
        DirectoryName(name: name, inode: Ext4.firstInode, typeBits: 0o040000), at: place)
    }
    return names
  }

  /// The checksum that those over an inode's own blocks begin with; its generation is 0.
  func checksum(ofInode inode: UInt32) -> MetadataChecksum {
    checksum.over(inode).over(UInt32(0))
  }
}
