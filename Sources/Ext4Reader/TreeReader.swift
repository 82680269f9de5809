internal import FileTree

/// Reads all of a volume's names and inodes into a tree, once, on one thread.
///
/// Every inode is visited once and no more blocks are followed than the volume has, so that
/// time and memory are bounded whatever the volume says about itself.
final class TreeReader {
  let superblock: Superblock
  let groups: [GroupTable.Group]
  let limits: Ext4ReadLimits
  let cache: MetadataCache
  var tree = FileTree()
  /// The runs of all regular files, one file after another.
  var runs: [BlockRun] = []
  var contents: [ContentRecord] = []
  var claims = BlockClaims()
  var sharedAttributes: [UInt64: SharedAttributes] = [:]
  private var nodes: [UInt32: FileTree.Node] = [:]
  /// Inodes that are no directories and should have more than one name.
  private var linked: [(inode: UInt32, node: FileTree.Node, links: UInt16)] = []
  private var pending: [(inode: InodeRecord, node: FileTree.Node, parent: UInt32)] = []
  /// Blocks that directories have taken so far.
  var directoryBlocks: UInt64 = 0

  init(_ volume: Ext4Volume, _ limits: Ext4ReadLimits) {
    superblock = volume.superblock
    groups = volume.table.groups
    cache = MetadataCache(volume.source)
    self.limits = limits
  }

  func run() throws {
    claimOwnBlocks()
    let root = try inode(Self.rootInode)
    guard root.isDirectory else {
      throw Ext4ReadError(inode: root.number, "the root is no directory but \(octal(root.mode))")
    }
    tree[FileTree.root] = root.attributes(try extendedAttributes(of: root))
    nodes[root.number] = FileTree.root
    pending.append((root, FileTree.root, root.number))
    while let next = pending.popLast() {
      try readDirectory(next.inode, parent: next.parent, into: next.node)
    }
    try claimJournal()
    try checkLinks()
    try checkAttributeUses()
    try checkSpace(used: nodes.keys)
  }

  static let rootInode: UInt32 = 2
  static let journalInode: UInt32 = 8
  static let firstInode: UInt32 = 11

  /// Reads an inode that is in use.
  func inode(_ number: UInt32) throws -> InodeRecord {
    guard (1...superblock.inodeCount).contains(number) else {
      throw Ext4ReadError(inode: number, "there are only \(superblock.inodeCount) inodes")
    }
    let (group, slot) = (number - 1).quotientAndRemainder(dividingBy: superblock.inodesPerGroup)
    let found = groups[Int(group)]
    guard slot < found.inodes else {
      throw Ext4ReadError(inode: number, "it is used but counted as unused in group \(group)")
    }
    let offset = Int(found.inodeTable) * superblock.blockSize + Int(slot) * superblock.inodeSize
    let bytes = try cache.bytes(at: offset, count: superblock.inodeSize)
    let inode = try InodeRecord(bytes, number: number, superblock)
    guard inode.links > 0 else {
      throw Ext4ReadError(inode: number, "it has a name but a link count of 0")
    }
    guard inode.flags & (InodeRecord.Flag.inlineData | InodeRecord.Flag.encrypted) == 0 else {
      throw Ext4ReadError(
        .unsupported, inode: number, "its flags are \(hexadecimal(inode.flags))")
    }
    return inode
  }

  /// A block's bytes.
  func bytes(ofBlock block: UInt64) throws -> [UInt8] {
    try cache.bytes(at: Int(block) * superblock.blockSize, count: superblock.blockSize)
  }

  /// Takes a run of blocks for an inode, which must lie in the volume.
  func claim(_ start: UInt64, _ count: UInt32, _ inode: UInt32) throws {
    guard start >= superblock.firstDataBlock, start < superblock.blockCount,
      superblock.blockCount - start >= UInt64(count)
    else {
      throw Ext4ReadError(
        inode: inode, block: start,
        "\(count) blocks from there on are not all among the \(superblock.blockCount) there are")
    }
    guard claims.count < limits.extents else {
      throw Ext4ReadError(.limit, inode: inode, "there are more than \(limits.extents) extents")
    }
    claims.add(start, count, inode)
  }

  /// Adds one name, and what it leads to unless another name did before.
  ///
  /// - Returns: whether that is a directory.
  func add(
    _ name: ArraySlice<UInt8>, _ number: UInt32, type: UInt8?, of directory: InodeRecord,
    to node: FileTree.Node
  ) throws -> Bool {
    guard tree.entryCount < limits.names else {
      throw Ext4ReadError(.limit, "there are more than \(limits.names) names")
    }
    guard number >= Self.firstInode else {
      throw Ext4ReadError(
        inode: directory.number, "'\(printable(name))' names the reserved inode \(number)")
    }
    do {
      if let known = nodes[number] {
        guard !tree.isDirectory(known) else {
          throw Ext4ReadError(
            inode: number,
            "the directory has a second name, '\(printable(name))' in inode \(directory.number)")
        }
        try checkType(type, tree.typeBits(of: known), name, directory)
        try tree.link(name, in: node, to: known)
        return false
      }
      let child = try inode(number)
      try checkType(type, child.mode, name, directory)
      let kind = try kind(of: child)
      let attributes = child.attributes(try extendedAttributes(of: child))
      let added = try tree.add(name, to: node, kind, attributes)
      nodes[number] = added
      if child.isDirectory {
        pending.append((child, added, directory.number))
      } else {
        linked.append((number, added, child.links))
      }
      return child.isDirectory
    } catch let error as FileTreeError {
      throw Ext4ReadError(inode: directory.number, "\(error)")
    }
  }

  /// Compares the type in a directory's entry with the inode's.
  private func checkType(
    _ type: UInt8?, _ mode: UInt16, _ name: ArraySlice<UInt8>, _ directory: InodeRecord
  ) throws {
    // Indexed by the entry's type: the upper four mode bits.
    let modes: [UInt16] = [0, 0o10, 0o4, 0o2, 0o6, 0o1, 0o14, 0o12]
    guard let type else { return }
    guard (1...7).contains(type), modes[Int(type)] == mode >> 12 else {
      throw Ext4ReadError(
        inode: directory.number,
        "'\(printable(name))' is of type \(type), and its inode's mode is \(octal(mode))")
    }
  }

  private func checkLinks() throws {
    for (inode, node, links) in linked where tree.linkCount(of: node) != Int(links) {
      throw Ext4ReadError(
        inode: inode, "it has \(tree.linkCount(of: node)) names and a link count of \(links)")
    }
  }

  private func octal(_ mode: UInt16) -> String { "0" + String(mode, radix: 8) }
}
