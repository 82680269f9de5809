internal import Ext4
internal import FileTree
internal import Glibc
internal import SystemIO

extension DirectoryScanner {
  private struct Identity: Hashable {
    var device: UInt64
    var inode: UInt64
    /// Which partition the name is in: a link can't lead out of one.
    var partition: Int
  }

  /// Makes the tree from what the threads found, in an order that depends on names alone.
  func assemble(_ policy: AttributePolicy) throws -> ScannedTree {
    // Taken out, so that each directory's entries go as soon as the tree has them.
    var state = self.state.withLock { state in
      defer { state = State() }
      return state
    }
    if let stop = state.stop { throw stop }
    let extended = try root.extendedAttributes(of: [])
    var rootStatus = rootStatus
    rootStatus.flags |= state.flags[0]
    var scanned = ScannedTree(
      tree: FileTree(root: Self.attributes(rootStatus, extended, policy)), files: [], root: root)
    // Threads report in any order.
    scanned.dropped = state.dropped.sorted { $0.path < $1.path }
    scanned.changed = state.changed.sorted { $0.path < $1.path }
    scanned.excluded = state.excluded.sorted { $0.path < $1.path }
    var linked: [Identity: FileTree.Node] = [:]
    var pending: [(node: FileTree.Node, directory: Int, path: [[UInt8]])] = [(FileTree.root, 0, [])]
    while let (parent, number, path) = pending.popLast() {
      let partition = self.partition(of: path)
      let entries = state.directories[number]
      state.directories[number] = []
      for var entry in entries {
        if let directory = entry.directory, directory > 0 {
          entry.status.flags |= state.flags[directory]
        }
        let identity = Identity(
          device: entry.status.device, inode: entry.status.inode, partition: partition)
        let isLinked = !entry.status.isDirectory && entry.status.links > 1
        if isLinked, let node = linked[identity],
          scanned.tree.linkCount(of: node) < Ext4Writer.largestLinkCount
        {
          try scanned.tree.link(entry.name, in: parent, to: node)
          continue
        }
        if isLinked, let reason = splits(identity, linked) {
          scanned.changed.append(Self.item(path + [entry.name], reason))
        }
        if entry.status.isRegular, entry.status.size > UInt64(Ext4Writer.largestFile) {
          let reason = "its \(entry.status.size) bytes are more than a file can have"
          scanned.dropped.append(Self.item(path + [entry.name], reason))
          continue
        }
        guard let kind = Self.kind(entry, &scanned) else { continue }
        let node = try scanned.tree.add(
          entry.name, to: parent, kind, Self.attributes(entry.status, entry.extended, policy))
        if isLinked { linked[identity] = node }
        if let directory = entry.directory, directory > 0 {
          pending.append((node, directory, path + [entry.name]))
        }
      }
    }
    return scanned
  }

  /// Why a name becomes a copy, where others of its inode are in the tree already.
  private func splits(_ identity: Identity, _ linked: [Identity: FileTree.Node]) -> String? {
    if linked[identity] != nil {
      return "it became a copy: no file can have more than \(Ext4Writer.largestLinkCount) names"
    }
    let isElsewhere = mapped.indices.contains { index in
      // Partitions are numbered from 1, and the root is 0.
      let number = index < identity.partition ? index : index + 1
      return linked[
        Identity(device: identity.device, inode: identity.inode, partition: number)] != nil
    }
    return isElsewhere ? "it became a copy: its other names are in another partition" : nil
  }

  /// The number of the partition, from 1 on, that names in a directory belong to; 0 for the root.
  private func partition(of directory: [[UInt8]]) -> Int {
    var found = (number: 0, depth: 0)
    for (index, mount) in mapped.enumerated()
    where mount.count > found.depth && directory.starts(with: mount) {
      found = (index + 1, mount.count)
    }
    return found.number
  }

  private static func kind(_ entry: Entry, _ scanned: inout ScannedTree) -> FileKind? {
    let status = entry.status
    let special = status.special
    switch mode_t(status.type) {
    case S_IFDIR: return .directory
    case S_IFLNK: return .symbolicLink(entry.linkTarget)
    case S_IFIFO: return .fifo
    case S_IFSOCK: return .socket
    case S_IFCHR: return .characterDevice(major: special.major, minor: special.minor)
    case S_IFBLK: return .blockDevice(major: special.major, minor: special.minor)
    case S_IFREG:
      let size = Int(clamping: status.size)
      if size == 0 { return .regular(.empty) }
      scanned.files.append(
        SourceFile(
          device: status.device, inode: status.inode, size: size,
          modified: status.modified, isSparse: status.blocks < status.size / 512))
      // Apparent sizes may be anything.
      scanned.contentBytes = min(scanned.contentBytes, Int.max - size) + size
      return .regular(.reference(UInt64(scanned.files.count - 1), size: UInt64(size)))
    default:
      return nil
    }
  }

  private static func attributes(
    _ status: FileStatus, _ extended: [(name: [UInt8], value: [UInt8])], _ policy: AttributePolicy
  ) -> FileAttributes {
    policy.attributes(
      permissions: UInt16(status.mode & 0o7777), uid: status.uid, gid: status.gid,
      modified: status.modified, created: status.created,
      flags: status.flags & Ext4Writer.keptFlags(ofType: UInt16(status.type)), extended: extended)
  }
}
