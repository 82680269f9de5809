internal import DiskImage
internal import Ext4
internal import FileTree
internal import Resources

/// The identifiers of a disk, derived from what is on it: the same tree and options give the same
/// ones, other trees give others.
struct DiskIdentity {
  let hashSeed: FileSystemUUID
  let disk: GUID
  private var fileSystems: [String: FileSystemUUID] = [:]
  private var partitions: [String: GUID] = [:]

  /// Derives them.
  ///
  /// - Parameters:
  ///   - targets: what each partition is for: where it is mounted, or `swap`.
  ///   - kept: UUIDs of file systems where the machine keeps its own, by target.
  init(
    _ tree: FileTree, _ options: ConversionOptions, targets: [String],
    keeping kept: [String: FileSystemUUID] = [:]
  ) throws {
    let seed = Self.digest(tree, options)
    func derive(_ name: String) -> [UInt8] {
      var digest = Digest()
      digest.add(seed)
      digest.add(name)
      var bytes = Array(digest.bytes()[..<16])
      // RFC 9562, version 8: made by the application's own rule.
      bytes[6] = bytes[6] & 0x0f | 0x80
      bytes[8] = bytes[8] & 0x3f | 0x80
      return bytes
    }
    guard let hashSeed = FileSystemUUID(bytes: derive("hash seed")),
      let disk = GUID(bytes: derive("disk"))
    else { throw Self.failure }
    self.hashSeed = hashSeed
    self.disk = disk
    for target in targets {
      guard let fileSystem = FileSystemUUID(bytes: derive("file system \(target)")),
        let partition = GUID(bytes: derive("partition \(target)"))
      else { throw Self.failure }
      fileSystems[target] = kept[target] ?? fileSystem
      partitions[target] = partition
    }
  }

  /// The UUID of the file system, or of the swap space, for a target.
  func fileSystem(_ target: String) -> FileSystemUUID { fileSystems[target] ?? hashSeed }

  /// The PARTUUID of the partition for a target.
  func partition(_ target: String) -> GUID { partitions[target] ?? disk }

  private static let failure = ConversionError("cannot derive the disk's identifiers")

  /// A digest of all names, kinds, attributes, sizes and held contents, and of the options that
  /// change the disk.
  private static func digest(_ tree: FileTree, _ options: ConversionOptions) -> [UInt8] {
    var digest = Digest()
    digest.add(converterVersion)
    digest.add(options.mode.rawValue)
    digest.add(options.label)
    digest.add(options.hostName)
    digest.add(options.size ?? 0)
    for partition in options.partitions {
      digest.add(partition.target)
      digest.add(partition.size ?? 0)
    }
    add(tree, FileTree.root, to: &digest)
    // Nodes are numbered as they are met, so that a hard link says which one it is.
    var numbers: [FileTree.Node: Int] = [:]
    for step in tree.walk() {
      digest.add(step.depth)
      digest.add(step.name)
      if let number = numbers[step.node] {
        digest.add(number)
      } else {
        if tree.linkCount(of: step.node) > 1 { numbers[step.node] = numbers.count }
        add(tree, step.node, to: &digest)
      }
    }
    return digest.bytes()
  }

  private static func add(_ tree: FileTree, _ node: FileTree.Node, to digest: inout Digest) {
    let attributes = tree[node]
    let kind = tree.kind(of: node)
    digest.add(UInt64(kind.modeBits) | UInt64(attributes.permissions))
    digest.add(attributes.uid)
    digest.add(attributes.gid)
    digest.add(attributes.modified.seconds)
    digest.add(attributes.modified.nanoseconds)
    digest.add(attributes.flags)
    digest.add(attributes.extended.count)
    for attribute in attributes.extended {
      digest.add(attribute.name)
      digest.add(attribute.value)
    }
    switch kind {
    case .regular(.bytes(let bytes)): digest.add(bytes)
    case .regular(let content): digest.add(content.size)
    case .symbolicLink(let target): digest.add(target)
    case .characterDevice(let major, let minor), .blockDevice(let major, let minor):
      digest.add(UInt64(major) << 32 | UInt64(minor))
    case .directory, .fifo, .socket: break
    }
  }
}

/// Changes whenever the same inputs would give other bytes.
let converterVersion = "1"
