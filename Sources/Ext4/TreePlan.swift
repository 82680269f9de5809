internal import FileTree

/// Inode numbers and the sorted entries of every directory, and the checks a tree has to pass.
struct TreePlan {
  /// Inodes in the order of their numbers, beginning with `firstNumber`; the root is not in it.
  private(set) var order: [FileTree.Node] = []
  /// The inode number of the first in `order`.
  private(set) var firstNumber = Ext4.firstInode
  /// Whether /lost+found has to be made, with inode 11.
  private(set) var makesLostAndFound = false
  /// How many inodes have each set of extended attributes.
  private(set) var attributeSetUses: [Int: Int] = [:]

  private var numbers: [UInt32]
  private var entries: [UInt32] = []
  private var firstEntry: [UInt32]

  static let lostAndFound = Array("lost+found".utf8)

  init(_ tree: FileTree) throws(Ext4Error) {
    numbers = Array(repeating: 0, count: tree.nodeLimit)
    firstEntry = numbers
    numbers[FileTree.root.index] = Ext4.rootInode
    attributeSetUses[tree.attributeSet(of: FileTree.root), default: 0] += 1
    var pending: [UInt32] = []
    enter(FileTree.root, tree, &pending)
    if let found = tree.child(Self.lostAndFound, of: FileTree.root) {
      if tree.isDirectory(found) { number(found, tree) }
    } else {
      makesLostAndFound = true
      firstNumber += 1
    }
    while let entry = pending.popLast() {
      let node = tree.node(ofEntry: entry)
      let name = tree.name(ofEntry: entry)
      if name.count > 255 { throw Ext4Error(Array(name), .nameTooLong(name.count)) }
      if numbers[node.index] == 0 {
        try Self.check(node, tree)
        number(node, tree)
      }
      if tree.isDirectory(node) { enter(node, tree, &pending) }
    }
  }

  private mutating func enter(
    _ directory: FileTree.Node, _ tree: FileTree, _ pending: inout [UInt32]
  ) {
    let sorted = tree.sortedEntries(of: directory)
    firstEntry[directory.index] = UInt32(truncatingIfNeeded: entries.count)
    entries += sorted
    pending += sorted.reversed()
  }

  private mutating func number(_ node: FileTree.Node, _ tree: FileTree) {
    numbers[node.index] = firstNumber + UInt32(truncatingIfNeeded: order.count)
    order.append(node)
    attributeSetUses[tree.attributeSet(of: node), default: 0] += 1
  }

  /// What ext4 has no room for in an inode.
  private static func check(_ node: FileTree.Node, _ tree: FileTree) throws(Ext4Error) {
    switch tree.kind(of: node) {
    case .symbolicLink(let target):
      guard 1..<Ext4.blockSize ~= target.count, !target.contains(0) else {
        throw Ext4Error(tree.path(of: node), .badLinkTarget(target.count))
      }
    case .characterDevice(let major, let minor), .blockDevice(let major, let minor):
      guard major < 1 << 12, minor < 1 << 20 else {
        throw Ext4Error(tree.path(of: node), .badDevice(major: major, minor: minor))
      }
    case .directory: return
    case .regular, .fifo, .socket: break
    }
    let links = tree.linkCount(of: node)
    if links > Ext4Writer.largestLinkCount {
      throw Ext4Error(tree.path(of: node), .tooManyLinks(links))
    }
  }

  func number(of node: FileTree.Node) -> UInt32 { numbers[node.index] }

  /// A directory's entries, sorted by the names' bytes.
  func entries(of directory: FileTree.Node, _ tree: FileTree) -> ArraySlice<UInt32> {
    let first = Int(firstEntry[directory.index])
    return entries[first..<first + tree.childCount(of: directory)]
  }

  /// Inodes used, the reserved ones among them.
  var usedInodes: Int { Int(firstNumber) - 1 + order.count }
}
