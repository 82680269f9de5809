internal import Ext4
internal import FileTree

/// Something that is not as it was meant to be.
struct ImageDifference: Hashable, Sendable {
  /// The guest path, or the part of the disk.
  var path: [UInt8]
  /// What is there and what should be.
  var what: String
}

/// Compares a tree that was read with the one that was written, all but the contents' bytes.
struct TreeComparison {
  /// A file whose content is still to be compared.
  struct Content: Sendable {
    let node: FileTree.Node
    let number: UInt64
    let digest: [UInt8]
  }

  private let written: FileTree
  private let read: FileTree
  private let digests: ContentDigests
  private(set) var differences: [ImageDifference] = []
  private(set) var contents: [Content] = []
  /// By the written tree's nodes: directories, and inodes of several names.
  private var counterparts: [FileTree.Node: FileTree.Node] = [:]

  /// Compares.
  ///
  /// - Parameter digests: of the contents that the written tree refers to.
  init(written: FileTree, _ digests: ContentDigests, read: FileTree) {
    self.written = written
    self.read = read
    self.digests = digests
    counterparts[FileTree.root] = FileTree.root
    compare(FileTree.root, FileTree.root, [])
    findUnexpected(in: FileTree.root)
    for step in written.walk() { compare(step) }
  }

  private mutating func compare(_ step: FileTree.Step) {
    // What is missing was said of the directory above.
    guard let directory = counterparts[step.directory] else { return }
    let path = (written.path(of: step.directory) + [0x2f] + step.name).drop { $0 == 0x2f }
    guard let found = read.child(step.name, of: directory) else {
      return add(Array(path), "it is missing")
    }
    if written.linkCount(of: step.node) > 1 {
      if let known = counterparts[step.node] {
        if known != found { add(Array(path), "it is not linked to its other names") }
        return
      }
      counterparts[step.node] = found
    }
    compare(step.node, found, Array(path))
    guard written.isDirectory(step.node), read.isDirectory(found) else { return }
    counterparts[step.node] = found
    findUnexpected(in: step.node)
  }

  private mutating func findUnexpected(in directory: FileTree.Node) {
    guard let found = counterparts[directory] else { return }
    for entry in read.children(of: found)
    where written.child(entry.name, of: directory) == nil
      && !(directory == FileTree.root && isEmptyLostAndFound(entry))
    {
      add(written.path(of: directory) + [0x2f] + entry.name, "it should not be there")
    }
  }

  /// Whether an entry is what a file system is given where the tree has none.
  private func isEmptyLostAndFound(_ entry: FileTree.Entry) -> Bool {
    entry.name.elementsEqual("lost+found".utf8) && read.isDirectory(entry.node)
      && read.childCount(of: entry.node) == 0
  }

  private mutating func compare(
    _ meant: FileTree.Node, _ found: FileTree.Node, _ path: [UInt8]
  ) {
    compareKinds(meant, found, path)
    let (a, b) = (written[meant], read[found])
    func check(_ what: String, _ meant: some Equatable, _ found: some Equatable) {
      let (meant, found) = ("\(meant)", "\(found)")
      if meant != found { add(path, "\(what) is \(found) and should be \(meant)") }
    }
    check("its mode", String(a.permissions, radix: 8), String(b.permissions, radix: 8))
    check("its owner", "\(a.uid):\(a.gid)", "\(b.uid):\(b.gid)")
    check("its time of change", Self.stored(a.modified), Self.stored(b.modified))
    check("its time of access", Self.stored(a.accessed), Self.stored(b.accessed))
    check("its inode's time of change", Self.stored(a.changed), Self.stored(b.changed))
    if let created = a.created {
      check("its time of birth", Self.stored(created), b.created.map(Self.stored) ?? "none")
    }
    let kept = Ext4Writer.keptFlags(ofType: written.kind(of: meant).modeBits)
    check("its flags word", a.flags & kept, b.flags & kept)
    if !written.isDirectory(meant) {
      check("its number of names", written.linkCount(of: meant), read.linkCount(of: found))
    }
    compareExtended(a.extended, b.extended, path)
  }

  private mutating func compareKinds(
    _ meant: FileTree.Node, _ found: FileTree.Node, _ path: [UInt8]
  ) {
    let (a, b) = (written.kind(of: meant), read.kind(of: found))
    switch (a, b) {
    case (.regular(let one), .regular(.reference(let number, let size))):
      guard one.size == size else {
        return add(path, "it has \(size) bytes and should have \(one.size)")
      }
      guard let digest = digests.digest(of: a) else {
        return add(path, "its content was never given to the file system")
      }
      contents.append(Content(node: meant, number: number, digest: digest))
    case (.symbolicLink(let one), .symbolicLink(let other)):
      if one != other {
        add(path, "it leads to '\(shown(other))' and should lead to '\(shown(one))'")
      }
    default:
      if a != b { add(path, "it is a \(b) and should be a \(a)") }
    }
  }

  private mutating func compareExtended(
    _ meant: [ExtendedAttribute], _ found: [ExtendedAttribute], _ path: [UInt8]
  ) {
    if meant == found { return }
    for attribute in meant {
      guard let other = found.first(where: { $0.name == attribute.name }) else {
        add(path, "its attribute \(shown(attribute.name)) is missing")
        continue
      }
      if other.value != attribute.value {
        add(
          path,
          "its attribute \(shown(attribute.name)) is \(Digest.hexadecimal(other.value)) and should "
            + "be \(Digest.hexadecimal(attribute.value))")
      }
    }
    for attribute in found where !meant.contains(where: { $0.name == attribute.name }) {
      add(path, "its attribute \(shown(attribute.name)) should not be there")
    }
  }

  private mutating func add(_ path: [UInt8], _ what: String) {
    differences.append(ImageDifference(path: path, what: what))
  }

  /// A time as ext4 can hold it; what had to be moved was reported while it was written.
  private static func stored(_ time: FileTime) -> String {
    let seconds = min(max(time.seconds, -(1 << 31)), 3 << 32 + 1 << 31 - 1)
    return manifestTime(FileTime(seconds: seconds, nanoseconds: time.nanoseconds))
  }
}
