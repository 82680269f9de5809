// Going through the tree in an order that depends on nothing but the names' bytes.
extension FileTree {
  /// A name in a directory and the inode it leads to.
  public struct Entry: Hashable, Sendable {
    /// The name's bytes.
    public let name: [UInt8]
    /// The inode.
    public let node: Node
  }

  /// A directory's entries, sorted by the names' bytes.
  public func children(of directory: Node) -> [Entry] {
    sortedEntries(of: directory).map {
      Entry(name: Array(nameBytes($0)), node: Node(entries[Int($0)].node))
    }
  }

  /// How many entries a directory has.
  public func childCount(of directory: Node) -> Int {
    isDirectory(directory) ? Int(truncatingIfNeeded: inodes[directory.index].second) : 0
  }

  /// One name met on a walk.
  public struct Step: Sendable {
    /// The directory it is in.
    public let directory: Node
    /// The name.
    public let name: [UInt8]
    /// The inode; one with several names is met once for each.
    public let node: Node
    /// How many directories are above it: 1 for an entry of the root.
    public let depth: Int
  }

  /// Every name below a directory: each directory before what is in it, names sorted by bytes.
  ///
  /// The walk sees the tree as it was when it began.
  public func walk(from directory: Node = root) -> Walk { Walk(self, directory) }

  /// The names below a directory, in order.
  public struct Walk: Sequence, IteratorProtocol, Sendable {
    private let tree: FileTree
    /// Entries to visit with their depth, the next one last.
    private var pending: [(entry: UInt32, depth: Int)]

    init(_ tree: FileTree, _ directory: Node) {
      self.tree = tree
      pending = tree.sortedEntries(of: directory).reversed().map { ($0, 1) }
    }

    /// The next name; nil at the end.
    public mutating func next() -> Step? {
      guard let (entry, depth) = pending.popLast() else { return nil }
      let record = tree.entries[Int(entry)]
      let node = Node(record.node)
      if tree.isDirectory(node) {
        pending += tree.sortedEntries(of: node).reversed().map { ($0, depth + 1) }
      }
      return Step(
        directory: Node(record.directory), name: Array(tree.nameBytes(entry)), node: node,
        depth: depth)
    }
  }

  /// A directory's entry numbers, sorted by the names' bytes.
  package func sortedEntries(of directory: Node) -> [UInt32] {
    guard isDirectory(directory) else { return [] }
    var found: [UInt32] = []
    found.reserveCapacity(childCount(of: directory))
    var entry = inodes[directory.index].firstEntry
    while entry != DirectoryEntry.none {
      found.append(entry)
      entry = entries[Int(entry)].next
    }
    arena.withUnsafeBufferPointer { arena in
      entries.withUnsafeBufferPointer { entries in
        func name(_ entry: UInt32) -> UnsafeBufferPointer<UInt8> {
          let record = entries[Int(entry)]
          return UnsafeBufferPointer(
            rebasing: arena[record.nameOffset..<record.nameOffset + Int(record.nameLength)])
        }
        found.sort { name($0).lexicographicallyPrecedes(name($1)) }
      }
    }
    return found
  }

  /// The inode an entry leads to.
  package func node(ofEntry entry: UInt32) -> Node { Node(entries[Int(entry)].node) }

  /// An entry's name, a view into the tree's storage.
  ///
  /// Kept alive over a change of the tree it makes that change copy the storage.
  package func name(ofEntry entry: UInt32) -> ArraySlice<UInt8> { nameBytes(entry) }

  /// The file type in the upper four mode bits.
  package func typeBits(of node: Node) -> UInt16 {
    switch inodes[node.index].type {
    case .fifo: 0o010000
    case .characterDevice: 0o020000
    case .directory: 0o040000
    case .blockDevice: 0o060000
    case .bytes, .reference: 0o100000
    case .symbolicLink: 0o120000
    case .socket: 0o140000
    }
  }

  /// The number under which equal sets of extended attributes are one; 0 is the empty set.
  package func attributeSet(of node: Node) -> Int { Int(inodes[node.index].attributeSet) }

  /// Inodes ever made; every `Node.index` is below it.
  package var nodeLimit: Int { inodes.count }
}
