// Paths inside the tree: a path's bytes are cut at slashes, a leading slash makes no difference.
extension FileTree {
  /// The node at a path, following no symbolic link; `.` is skipped, `..` is not known.
  public func lookUp(_ path: some Collection<UInt8>) -> Node? {
    var node = Self.root
    for part in path.split(separator: UInt8(ascii: "/")) where !part.elementsEqual([0x2e]) {
      guard let next = child(part, of: node) else { return nil }
      node = next
    }
    return node
  }

  /// The node at a path written as text, following no symbolic link.
  public func lookUp(_ path: String) -> Node? { lookUp(Array(path.utf8)) }

  /// The node at a path as the guest would find it: symbolic links are followed inside the tree,
  /// and `..` never leads above its root.
  ///
  /// - Parameter followLast: whether a link in the last place is followed too.
  /// - Returns: nil where nothing is found.
  /// - Throws: `FileTreeError` of reason `linkLoop` after 40 links, the kernel's limit.
  public func resolve(
    _ path: some Collection<UInt8>, from start: Node = root, followLast: Bool = true
  ) throws(FileTreeError) -> Node? {
    var node = path.first == UInt8(ascii: "/") ? Self.root : start
    // Parts still to walk, the next one last.
    var parts: [[UInt8]] = Self.reversedParts(path)
    var followed = 0
    while let part = parts.popLast() {
      if part == [0x2e] { continue }
      if part == [0x2e, 0x2e] {
        node = parent(of: node) ?? Self.root
        continue
      }
      guard let next = child(part, of: node) else { return nil }
      let inode = inodes[next.index]
      guard inode.type == .symbolicLink, followLast || !parts.isEmpty else {
        node = next
        continue
      }
      followed += 1
      guard followed <= 40 else { throw FileTreeError("follow", Array(path), .linkLoop) }
      let target = linkTarget(inode)
      if target.isEmpty { return nil }
      if target.first == UInt8(ascii: "/") { node = Self.root }
      parts += Self.reversedParts(target)
    }
    return node
  }

  /// The node at a path written as text, following the guest's symbolic links.
  public func resolve(_ path: String) throws(FileTreeError) -> Node? {
    try resolve(Array(path.utf8))
  }

  private static func reversedParts(_ path: some Collection<UInt8>) -> [[UInt8]] {
    path.split(separator: UInt8(ascii: "/")).reversed().map { Array($0) }
  }

  /// The directory at a path, made with all above it where missing.
  ///
  /// - Parameter followingLinks: whether a symbolic link to a directory on the way is followed
  ///   inside the tree; else it is an error.
  /// - Throws: `FileTreeError` where something on the way is no directory.
  @discardableResult
  public mutating func makeDirectories(
    _ path: some Collection<UInt8>, _ attributes: FileAttributes, followingLinks: Bool = false
  ) throws(FileTreeError) -> Node {
    var node = Self.root
    for part in path.split(separator: UInt8(ascii: "/")) where !part.elementsEqual([0x2e]) {
      if let next = child(part, of: node) {
        var target: Node? = next
        if followingLinks { target = try resolve(Array(part), from: node) }
        guard let target, isDirectory(target) else {
          throw FileTreeError("make directory", Array(path), .notDirectory)
        }
        node = target
      } else {
        node = try add(part, to: node, .directory, attributes)
      }
    }
    return node
  }

  /// Writes a small file as an editor in the guest would: links are followed, a missing file and
  /// missing directories are made, an existing file keeps its attributes.
  ///
  /// - Parameters:
  ///   - attributes: for a file that is made.
  ///   - directories: for directories that are made.
  /// - Throws: `FileTreeError` where a directory or a special file stands there.
  @discardableResult
  public mutating func writeFile(
    _ path: String, _ bytes: [UInt8], _ attributes: FileAttributes,
    directories: FileAttributes = FileAttributes(permissions: 0o755)
  ) throws(FileTreeError) -> Node {
    let whole = Array(path.utf8)
    if let node = try resolve(whole) {
      try setContent(.bytes(bytes), of: node)
      return node
    }
    let cut = whole.lastIndex(of: UInt8(ascii: "/"))
    let directory = try makeDirectories(
      whole[..<(cut ?? 0)], directories, followingLinks: true)
    let name = whole[(cut.map { $0 + 1 } ?? 0)...]
    // A dangling link gives way to the file.
    return try place(name, in: directory, .regular(.bytes(bytes)), attributes)
  }

  /// The path of a directory, or by one of its names that of another inode, without a leading
  /// slash; empty for the root.
  ///
  /// - Complexity: the depth for a directory; for others all names are searched, so use it for
  ///   messages only.
  public func path(of node: Node) -> [UInt8] {
    var entry = inodes[node.index].namingEntry
    if !isDirectory(node) {
      let found = entries.indices.first {
        entries[$0].node == node.number && isLive(UInt32(truncatingIfNeeded: $0))
      }
      entry = found.map { UInt32(truncatingIfNeeded: $0) } ?? DirectoryEntry.none
    }
    var parts: [ArraySlice<UInt8>] = []
    while entry != DirectoryEntry.none {
      parts.append(nameBytes(entry))
      entry = inodes[Int(entries[Int(entry)].directory)].namingEntry
    }
    return Array(parts.reversed().joined(separator: [UInt8(ascii: "/")]))
  }

  private func isLive(_ entry: UInt32) -> Bool {
    let record = entries[Int(entry)]
    return findEntry(nameBytes(entry), in: Node(record.directory)) == entry
  }
}
