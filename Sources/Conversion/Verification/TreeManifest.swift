internal import Crypto
internal import FileTree
internal import SystemIO

/// The list of all that goes into an image, a line an entry, in the form of mtree(5).
///
/// Lines come in the order of a walk: each directory before what is in it, names sorted by their
/// bytes. A line is the path, beginning with a dot, and these words where they apply:
///
///     type=dir|file|link|char|block|fifo|socket  mode=0644  uid=0  gid=0
///     time=SECONDS.NANOSECONDS  size=BYTES  sha256=HEXADECIMAL
///     link=TARGET  device=native,MAJOR,MINOR
///     nlink=NAMES inode=GROUP    several names of one inode have the same group, from 1 on
///     chattr=0xFLAGS             as chattr(1) numbers them
///     xattrs=SHA256              over each attribute by name: the lengths of name and value as
///                                eight bytes, lowest first, before each
///
/// The last two are ours. In paths and targets every byte but letters, digits and the signs
/// `%+,-./:@^_~!` is a backslash and three octal digits, as vis(3) has it.
struct TreeManifest {
  private let tree: FileTree
  /// The file systems' digests, and which one each mount point begins; the root's is the first.
  private let digests: [ContentDigests]
  private let mountPoints: [FileTree.Node: Int]

  /// - Parameter volumes: target and digests of each file system, the root's among them.
  init(_ tree: FileTree, _ volumes: [(target: String, digests: ContentDigests)]) {
    self.tree = tree
    digests = volumes.map(\.digests)
    var points: [FileTree.Node: Int] = [:]
    for (index, volume) in volumes.enumerated() {
      if let node = tree.lookUp(volume.target) { points[node] = index }
    }
    mountPoints = points
  }

  /// Writes the list durably.
  func write(to path: String) throws {
    let file = try PendingFile(replacing: path, permissions: 0o644)
    var text = Array("#mtree v2.0\n".utf8)
    /// The file system that a directory's entries are in.
    var volumes = [FileTree.root: mountPoints[FileTree.root] ?? 0]
    var groups: [FileTree.Node: Int] = [:]
    text += line(Array(".".utf8), FileTree.root, volume: 0, group: nil)
    for step in tree.walk() {
      let volume = volumes[step.directory] ?? 0
      if tree.isDirectory(step.node) { volumes[step.node] = mountPoints[step.node] ?? volume }
      let isLinked = tree.linkCount(of: step.node) > 1 && !tree.isDirectory(step.node)
      if isLinked, groups[step.node] == nil { groups[step.node] = groups.count + 1 }
      let above = tree.path(of: step.directory)
      let path = Array("./".utf8) + above + (above.isEmpty ? [] : [0x2f]) + step.name
      text += line(path, step.node, volume: volume, group: isLinked ? groups[step.node] : nil)
      if text.count >= 1 << 18 {
        try file.descriptor.write(text)
        text.removeAll(keepingCapacity: true)
      }
    }
    try file.descriptor.write(text)
    try file.commit()
  }

  private func line(
    _ path: [UInt8], _ node: FileTree.Node, volume: Int, group: Int?
  ) -> [UInt8] {
    let attributes = tree[node]
    let kind = tree.kind(of: node)
    let mode = String(attributes.permissions, radix: 8)
    var words = [
      "mode=" + String(repeating: "0", count: max(0, 4 - mode.count)) + mode,
      "uid=\(attributes.uid)", "gid=\(attributes.gid)",
      "time=\(manifestTime(attributes.modified))",
    ]
    let digest = digests[volume].digest(of: kind).map(Digest.hexadecimal)
    switch kind {
    case .directory: words.insert("type=dir", at: 0)
    case .regular(let content):
      words.insert("type=file", at: 0)
      words += ["size=\(content.size)", "sha256=\(digest ?? "unknown")"]
    case .symbolicLink(let target):
      words.insert("type=link", at: 0)
      words.append("link=" + String(decoding: Self.escaped(target), as: UTF8.self))
    case .fifo: words.insert("type=fifo", at: 0)
    case .socket: words.insert("type=socket", at: 0)
    case .characterDevice(let major, let minor):
      words.insert("type=char", at: 0)
      words.append("device=native,\(major),\(minor)")
    case .blockDevice(let major, let minor):
      words.insert("type=block", at: 0)
      words.append("device=native,\(major),\(minor)")
    }
    if let group { words.append("nlink=\(tree.linkCount(of: node)) inode=\(group)") }
    if attributes.flags != 0 { words.append("chattr=0x" + String(attributes.flags, radix: 16)) }
    if !attributes.extended.isEmpty { words.append("xattrs=" + Self.digest(attributes.extended)) }
    return Self.escaped(path) + Array((" " + words.joined(separator: " ") + "\n").utf8)
  }

  private static func digest(_ extended: [ExtendedAttribute]) -> String {
    var digest = Digest()
    for attribute in extended.sorted(by: { $0.name.lexicographicallyPrecedes($1.name) }) {
      digest.add(attribute.name)
      digest.add(attribute.value)
    }
    return digest.text()
  }

  private static let plain = Set(
    Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:@^_~!".utf8))

  private static func escaped(_ bytes: [UInt8]) -> [UInt8] {
    bytes.flatMap { byte -> [UInt8] in
      if plain.contains(byte) { return [byte] }
      return [0x5c, 0x30 + byte >> 6, 0x30 + byte >> 3 & 7, 0x30 + byte & 7]
    }
  }
}

/// A time as seconds and nine digits of nanoseconds.
func manifestTime(_ time: FileTime) -> String {
  let digits = String(time.nanoseconds)
  return "\(time.seconds)." + String(repeating: "0", count: max(0, 9 - digits.count)) + digits
}
