// How names are stored, found and taken away.
extension FileTree {
  /// A directory's entry of that name.
  public func child(_ name: some Collection<UInt8>, of directory: Node) -> Node? {
    findEntry(ArraySlice(name), in: directory).map { Node(entries[Int($0)].node) }
  }

  /// The directory above a directory; nil for the root, what was removed and what is no directory.
  public func parent(of directory: Node) -> Node? {
    let inode = inodes[directory.index]
    guard inode.type == .directory, inode.namingEntry != DirectoryEntry.none else { return nil }
    return Node(entries[Int(inode.namingEntry)].directory)
  }

  func linkTarget(_ inode: Inode) -> ArraySlice<UInt8> {
    let start = Int(truncatingIfNeeded: inode.first)
    return arena[start..<start + Int(truncatingIfNeeded: inode.second)]
  }

  func nameBytes(_ entry: UInt32) -> ArraySlice<UInt8> {
    let record = entries[Int(entry)]
    return arena[record.nameOffset..<record.nameOffset + Int(record.nameLength)]
  }

  mutating func setKind(_ kind: FileKind, of node: Node) {
    var first: UInt64 = 0
    var second: UInt64 = 0
    let form: Inode.Form
    switch kind {
    case .directory:
      (form, first) = (.directory, UInt64.max)
    case .regular(.bytes(let bytes)):
      (form, first, second) = (.bytes, UInt64(heldContents.count), UInt64(bytes.count))
      if !bytes.isEmpty { heldContents.append(bytes) }
    case .regular(.reference(let number, let size)):
      (form, first, second) = (.reference, number, size)
    case .symbolicLink(let target):
      (form, first, second) = (.symbolicLink, UInt64(arena.count), UInt64(target.count))
      arena += target
    case .fifo: form = .fifo
    case .socket: form = .socket
    case .characterDevice(let major, let minor):
      (form, first) = (.characterDevice, UInt64(major) << 32 | UInt64(minor))
    case .blockDevice(let major, let minor):
      (form, first) = (.blockDevice, UInt64(major) << 32 | UInt64(minor))
    }
    inodes[node.index].type = form
    inodes[node.index].first = first
    inodes[node.index].second = second
  }

  mutating func internSet(_ set: [ExtendedAttribute]) -> UInt32 {
    if set.isEmpty { return 0 }
    if let number = attributeSetNumbers[set] { return number }
    let number = UInt32(truncatingIfNeeded: attributeSets.count)
    attributeSets.append(set)
    attributeSetNumbers[set] = number
    return number
  }

  private func hash(_ name: UnsafeBufferPointer<UInt8>, _ directory: UInt32) -> Int {
    var hasher = Hasher()
    hasher.combine(directory)
    hasher.combine(bytes: UnsafeRawBufferPointer(name))
    return hasher.finalize()
  }

  private func hash(_ name: ArraySlice<UInt8>, _ directory: UInt32) -> Int {
    name.withUnsafeBufferPointer { hash($0, directory) }
  }

  func findEntry(_ name: ArraySlice<UInt8>, in directory: Node) -> UInt32? {
    let number = directory.number
    return name.withUnsafeBufferPointer { name in
      arena.withUnsafeBufferPointer { arena in
        names.find(hash(name, number)) { entry in
          let record = entries[Int(entry)]
          guard record.directory == number, Int(record.nameLength) == name.count else {
            return false
          }
          return (0..<name.count).allSatisfy { arena[record.nameOffset + $0] == name[$0] }
        }
      }
    }
  }

  func checkNew(
    _ name: ArraySlice<UInt8>, in directory: Node, _ operation: String
  ) throws(FileTreeError) {
    let dot = UInt8(ascii: ".")
    guard
      !name.isEmpty, name != [dot], name != [dot, dot],
      !name.contains(where: { $0 == 0 || $0 == UInt8(ascii: "/") })
    else { throw FileTreeError(operation, Array(name), .invalidName) }
    guard isDirectory(directory) else {
      throw FileTreeError(operation, Array(name), .notDirectory)
    }
    guard findEntry(name, in: directory) == nil else {
      throw FileTreeError(operation, path(of: directory) + [UInt8(ascii: "/")] + name, .exists)
    }
    guard entries.count < Int(UInt32.max) - 2 else {
      throw FileTreeError(operation, Array(name), .full)
    }
  }

  /// Adds an entry; all has been checked.
  mutating func enter(_ name: ArraySlice<UInt8>, in directory: Node, _ node: Node) {
    let entry = UInt32(truncatingIfNeeded: entries.count)
    let head = inodes[directory.index].firstEntry
    entries.append(
      DirectoryEntry(
        nameOffset: arena.count, nameLength: UInt32(truncatingIfNeeded: name.count),
        node: node.number, directory: directory.number, next: head,
        previous: DirectoryEntry.none))
    arena.append(contentsOf: name)
    if head != DirectoryEntry.none { entries[Int(head)].previous = entry }
    inodes[directory.index].firstEntry = entry
    inodes[directory.index].second += 1
    inodes[node.index].links += 1
    if isDirectory(node) { inodes[node.index].namingEntry = entry }
    entryCount += 1
    if names.isFull {
      for other in names.enlarge() {
        names.insert(other, hash(nameBytes(other), entries[Int(other)].directory))
      }
    }
    names.insert(entry, hash(name, directory.number))
  }

  /// Takes an entry away and, with its last name, the inode.
  mutating func leave(_ entry: UInt32) {
    detach(entry)
    let node = entries[Int(entry)].node
    if inodes[Int(node)].links == 0 { nodeCount -= 1 }
  }

  mutating func detach(_ entry: UInt32) {
    let record = entries[Int(entry)]
    names.remove(entry, hash(nameBytes(entry), record.directory))
    if record.previous == DirectoryEntry.none {
      inodes[Int(record.directory)].firstEntry = record.next
    } else {
      entries[Int(record.previous)].next = record.next
    }
    if record.next != DirectoryEntry.none {
      entries[Int(record.next)].previous = record.previous
    }
    inodes[Int(record.directory)].second -= 1
    inodes[Int(record.node)].links -= 1
    if inodes[Int(record.node)].type == .directory {
      inodes[Int(record.node)].namingEntry = DirectoryEntry.none
    }
    entryCount -= 1
  }
}
