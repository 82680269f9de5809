internal import DiskImage
internal import FileTree

/// A partition with its size, before the disk is written.
struct PartitionLayout: Hashable {
  /// Where it is mounted, `/boot`, or `swap`.
  let target: String
  /// In bytes, a multiple of 1 MiB; 0 for the root, whose size follows from its content.
  var size: Int
  let type: GUID
  /// The file system's label and the partition's name.
  let label: String

  /// The path that it is mounted at as its parts; nil for swap.
  var mountPoint: [[UInt8]]? {
    target == Self.swap ? nil : pathParts(Array(target.utf8))
  }

  static let swap = "swap"
  /// A journal and an inode table.
  static let smallest = 16 << 20

  static func root(_ options: ConversionOptions) -> PartitionLayout {
    PartitionLayout(target: "/", size: 0, type: .linuxRootX86, label: options.label)
  }

  /// Lays out what was asked for, in that order.
  ///
  /// - Parameter scanned: the tree, from which sizes that were not given follow.
  static func layouts(
    _ requests: [PartitionRequest], _ scanned: ScannedTree?
  ) throws(ConversionError) -> [PartitionLayout] {
    var layouts: [PartitionLayout] = []
    for request in requests {
      let label = request.target.split(separator: "/").last.map { String($0) } ?? ""
      guard let size = request.size ?? scanned.flatMap({ fitting($0.tree, request.target) }) else {
        throw ConversionError(
          "the partition for \(request.target) needs a size: what will be in it is not known "
            + "before it is written", help: "give it as \(request.target)=1Gi")
      }
      layouts.append(
        PartitionLayout(
          target: request.target, size: size, type: types[request.target] ?? .linuxFilesystem,
          label: String(decoding: label.utf8.prefix(16), as: UTF8.self)))
    }
    return layouts
  }

  /// A size that what is below a directory fits into, with a tenth and 64 MiB free; nil for swap.
  private static func fitting(_ tree: FileTree, _ target: String) -> Int? {
    if target == swap { return nil }
    var needed = 64 << 20
    if let node = tree.lookUp(target) {
      for step in tree.walk(from: node) {
        // An inode, its name, and what it may take in blocks: content, a block of attributes.
        needed += 256 + step.name.count + 16 + 4096
        guard case .regular(let content) = tree.kind(of: step.node) else { continue }
        guard content.size < 16 << 40, needed < 16 << 40 else { return nil }
        needed += Int(content.size)
      }
    }
    // The journal takes up to a sixteenth and at most 1 GiB.
    needed += needed / 10 + min(needed / 16, 1 << 30)
    return (needed + (1 << 20) - 1) / (1 << 20) * (1 << 20)
  }

  /// What the Discoverable Partitions Specification has for x86-64.
  private static let types: [String: GUID] = {
    let texts = [
      ("/boot", "bc13c2ff-59e6-4262-a352-b275fd6f7172"),
      ("/home", "933ac7e1-2eb4-4f13-b844-0e14e2aef915"),
      ("/srv", "3b8f8425-20e0-4f3b-907f-1a25a76f98e8"),
      ("/usr", "8484680c-9521-48c6-9c11-b0720656f69e"),
      ("/var", "4d21b016-b534-45c2-a9fb-5c16e091fd2d"),
      ("/var/tmp", "7ec6f557-3bc5-4aca-b293-16ef5df639d1"),
    ]
    var types = [swap: GUID.linuxSwap]
    for (target, text) in texts { types[target] = GUID(text) }
    return types
  }()
}

extension FileTree {
  /// Takes what is below a directory out into a tree of its own; the directory stays, empty.
  ///
  /// A directory that is missing is made. No inode may have names on both sides.
  mutating func split(at path: [[UInt8]]) throws -> FileTree {
    let directory = try makeDirectories(
      path.joined(separator: [0x2f]).map { $0 }, FileAttributes(permissions: 0o755),
      followingLinks: false)
    var part = FileTree(root: self[directory])
    var copies: [Node: Node] = [directory: FileTree.root]
    for step in walk(from: directory) {
      guard let parent = copies[step.directory] else { continue }
      if let copy = copies[step.node] {
        try part.link(step.name, in: parent, to: copy)
      } else {
        copies[step.node] = try part.add(
          step.name, to: parent, kind(of: step.node), self[step.node])
      }
    }
    for child in children(of: directory) { try remove(child.name, from: directory) }
    return part
  }
}
