/// How a directory's names are spread over hashed leaves, and the leaves over index blocks.
struct DirectoryIndex {
  struct Item {
    var hash: UInt32
    var minor: UInt32
    var position: UInt32
  }

  private(set) var items: [Item] = []
  /// The first item of each leaf.
  private(set) var leaves: [Int] = []
  private let format: DirectoryFormat

  /// - Parameter names: all names but `.` and `..`.
  init(_ names: [DirectoryName], _ hasher: DirectoryHash, _ format: DirectoryFormat) {
    self.format = format
    items.reserveCapacity(names.count)
    for (position, name) in names.enumerated() {
      let (major, minor) = name.name.withUnsafeBytes { hasher.hash($0) }
      items.append(
        Item(hash: major, minor: minor, position: UInt32(truncatingIfNeeded: position)))
    }
    items.sort { ($0.hash, $0.minor, $0.position) < ($1.hash, $1.minor, $1.position) }
    // A fifth of each leaf stays free, as e2fsck leaves it: else the first new names in the
    // guest would split every block.
    let slack = Ext4.blockSize / 5
    var left = 0
    for (number, item) in items.enumerated() {
      let length = names[Int(item.position)].length
      if leaves.isEmpty || length > left || left < slack {
        leaves.append(number)
        left = format.capacity
      }
      left -= length
    }
  }

  /// The items of a leaf.
  func items(of leaf: Int) -> ArraySlice<Item> {
    items[leaves[leaf]..<(leaf + 1 < leaves.count ? leaves[leaf + 1] : items.count)]
  }

  /// The hash under which a leaf is found; bit 0 says that names of this hash begin in the leaf
  /// before.
  func hash(ofLeaf leaf: Int) -> UInt32 {
    let first = leaves[leaf]
    let hash = items[first].hash
    return first > 0 && items[first - 1].hash == hash ? hash | 1 : hash
  }

  /// Whether two levels suffice.
  var fits: Bool { leaves.count <= format.rootLimit * format.nodeLimit }

  /// Leaves below each inner block; empty where the root alone indexes them.
  var nodes: [Range<Int>] {
    if leaves.count <= format.rootLimit { return [] }
    let roomy = format.nodeLimit * 4 / 5
    let each = leaves.count <= format.rootLimit * roomy ? roomy : format.nodeLimit
    return stride(from: 0, to: leaves.count, by: each).map {
      $0..<min($0 + each, leaves.count)
    }
  }
}
