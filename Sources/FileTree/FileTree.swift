/// A guest's file tree in memory: inodes, and the names that lead to them.
///
/// Names stand apart from inodes, so that a hard link of any kind is one more name. Nothing in
/// here ever touches the host's file system: names are bytes, and links are followed inside the
/// tree only. An inode with one name takes about 160 bytes and the length of its name.
public struct FileTree: Sendable {
  /// An inode of one tree.
  public struct Node: Hashable, Sendable {
    /// Counts from 0, the root, in the order of adding; never used twice.
    public let index: Int
    package init(_ index: UInt32) { self.index = Int(index) }
    var number: UInt32 { UInt32(truncatingIfNeeded: index) }
  }

  /// The top directory.
  public static let root = Node(0)

  var inodes: [Inode] = []
  var entries: [DirectoryEntry] = []
  var names = NameTable()
  /// Names and link targets, one after another.
  var arena: [UInt8] = []
  /// Contents held in the tree, none of them empty.
  var heldContents: [[UInt8]] = []
  var attributeSets: [[ExtendedAttribute]] = [[]]
  var attributeSetNumbers: [[ExtendedAttribute]: UInt32] = [[]: 0]

  /// Inodes that have a name, the root among them.
  public internal(set) var nodeCount = 1
  /// Names, the root not counted.
  public internal(set) var entryCount = 0

  /// Makes a tree of a root directory alone.
  public init(root attributes: FileAttributes = FileAttributes(permissions: 0o755)) {
    inodes.append(Inode())
    inodes[0].links = 1
    setKind(.directory, of: Self.root)
    self[Self.root] = attributes
  }

  /// The inode's attributes.
  public subscript(node: Node) -> FileAttributes {
    get { inodes[node.index].attributes(extended: attributeSets) }
    set {
      let set = internSet(newValue.extended)
      inodes[node.index].assign(newValue, extended: set)
    }
  }

  /// What the inode is.
  public func kind(of node: Node) -> FileKind {
    let inode = inodes[node.index]
    switch inode.type {
    case .directory: return .directory
    case .bytes: return .regular(.bytes(inode.second == 0 ? [] : heldContents[inode.heldContent]))
    case .reference: return .regular(.reference(inode.first, size: inode.second))
    case .symbolicLink: return .symbolicLink(Array(linkTarget(inode)))
    case .fifo: return .fifo
    case .socket: return .socket
    case .characterDevice: return .characterDevice(major: inode.major, minor: inode.minor)
    case .blockDevice: return .blockDevice(major: inode.major, minor: inode.minor)
    }
  }

  /// Whether the inode is a directory.
  public func isDirectory(_ node: Node) -> Bool { inodes[node.index].type == .directory }

  /// How many names the inode has; 0 when it was removed.
  public func linkCount(of node: Node) -> Int { Int(inodes[node.index].links) }

  /// Gives a regular file other content; all its names see it.
  ///
  /// - Throws: `FileTreeError` where the inode is no regular file.
  public mutating func setContent(_ content: FileContent, of node: Node) throws(FileTreeError) {
    let type = inodes[node.index].type
    guard type == .bytes || type == .reference else {
      throw FileTreeError("write", path(of: node), .notRegular)
    }
    if type == .bytes, inodes[node.index].second > 0 {
      heldContents[inodes[node.index].heldContent] = []
    }
    setKind(.regular(content), of: node)
  }

  /// Adds a new inode under a new name.
  ///
  /// - Throws: `FileTreeError` where the name is taken or none, or `directory` is none.
  @discardableResult
  public mutating func add(
    _ name: some Collection<UInt8>, to directory: Node, _ kind: FileKind,
    _ attributes: FileAttributes
  ) throws(FileTreeError) -> Node {
    let name = ArraySlice(name)
    try checkNew(name, in: directory, "add")
    guard inodes.count < Int(UInt32.max) - 1 else {
      throw FileTreeError("add", Array(name), .full)
    }
    let node = Node(UInt32(truncatingIfNeeded: inodes.count))
    inodes.append(Inode())
    setKind(kind, of: node)
    self[node] = attributes
    nodeCount += 1
    enter(name, in: directory, node)
    return node
  }

  /// Adds one more name for an inode that is no directory.
  ///
  /// - Throws: `FileTreeError` where the name is taken or none, or the inode is a directory.
  public mutating func link(
    _ name: some Collection<UInt8>, in directory: Node, to node: Node
  ) throws(FileTreeError) {
    let name = ArraySlice(name)
    guard !isDirectory(node) else { throw FileTreeError("link", Array(name), .isDirectory) }
    try checkNew(name, in: directory, "link")
    if inodes[node.index].links == 0 { nodeCount += 1 }
    enter(name, in: directory, node)
  }

  /// Adds an inode, taking the place of what has the name.
  ///
  /// A directory over a directory keeps the entries and takes the attributes, as an archive that
  /// lists a directory after its content needs.
  /// - Throws: `FileTreeError` where the name is none, or only one of the two is a directory.
  @discardableResult
  public mutating func place(
    _ name: some Collection<UInt8>, in directory: Node, _ kind: FileKind,
    _ attributes: FileAttributes
  ) throws(FileTreeError) -> Node {
    if let old = child(name, of: directory) {
      if isDirectory(old) {
        guard kind == .directory else {
          throw FileTreeError("replace", path(of: old), .isDirectory)
        }
        self[old] = attributes
        return old
      }
      if kind == .directory { throw FileTreeError("replace", path(of: old), .notDirectory) }
      try remove(name, from: directory)
    }
    return try add(name, to: directory, kind, attributes)
  }

  /// Takes a name away, and with a directory's all below it.
  ///
  /// - Throws: `FileTreeError` where there is no such name.
  public mutating func remove(
    _ name: some Collection<UInt8>, from directory: Node
  ) throws(FileTreeError) {
    guard let entry = findEntry(ArraySlice(name), in: directory) else {
      throw FileTreeError("remove", Array(name), .notFound)
    }
    // A stack instead of recursion: depth comes from outside.
    var pending = [entry]
    while let next = pending.popLast() {
      let node = entries[Int(next)].node
      if inodes[Int(node)].type == .directory {
        var below = inodes[Int(node)].firstEntry
        while below != DirectoryEntry.none {
          pending.append(below)
          below = entries[Int(below)].next
        }
      }
      leave(next)
    }
  }

  /// Gives an entry another name or directory, in place of what stood there unless that is a
  /// directory.
  ///
  /// - Throws: `FileTreeError` where the source is missing, the target is a directory, or a
  ///   directory would come below itself.
  public mutating func rename(
    _ name: some Collection<UInt8>, in directory: Node,
    to newName: some Collection<UInt8>, in newDirectory: Node
  ) throws(FileTreeError) {
    guard let entry = findEntry(ArraySlice(name), in: directory) else {
      throw FileTreeError("rename", Array(name), .notFound)
    }
    let node = Node(entries[Int(entry)].node)
    if let old = child(newName, of: newDirectory) {
      if old == node { return }
      if isDirectory(old) { throw FileTreeError("replace", path(of: old), .isDirectory) }
    }
    if isDirectory(node) {
      var above: Node? = newDirectory
      while let step = above {
        if step == node { throw FileTreeError("rename", path(of: node), .belowItself) }
        above = parent(of: step)
      }
    }
    if child(newName, of: newDirectory) != nil { try remove(newName, from: newDirectory) }
    let newName = ArraySlice(newName)
    try checkNew(newName, in: newDirectory, "rename")
    detach(entry)
    enter(newName, in: newDirectory, node)
  }
}
