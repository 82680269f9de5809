internal import Archive
internal import Ext4
internal import FileTree

extension ArchiveUnpacking {
  static func refusal(_ entry: ArchiveEntry, _ reason: String) -> ConversionError {
    ConversionError(
      "cannot unpack the archive's entry '\(shown(entry.path))' at byte \(entry.headerOffset): "
        + reason,
      help: "make the archive from the machine's root again, or exclude the path")
  }

  /// An entry's path as parts; a leading slash means the guest's root, which all paths start at.
  static func parts(of entry: ArchiveEntry) throws -> [[UInt8]] {
    let parts = pathParts(entry.path)
    guard !leadsUpwards(parts) else { throw refusal(entry, "its path leads upwards") }
    return parts
  }

  private static func leadsUpwards(_ parts: [[UInt8]]) -> Bool { parts.contains([0x2e, 0x2e]) }

  func isLeftOut(_ path: [[UInt8]], _ entry: ArchiveEntry) -> Bool {
    if path.count > 1, volatileDirectories.contains(path[0]) {
      if leftOut.insert([path[0]]).inserted {
        excluded.append(
          ConversionReport.Item(
            path: shown(path[0]), reason: "its content belongs to the running system"))
      }
      return true
    }
    if patterns.isEmpty || path.isEmpty { return false }
    for depth in 1...path.count {
      let part = Array(path[..<depth])
      let isDirectory = depth < path.count || entry.kind == .directory
      guard patterns.excludes(part, isDirectory: isDirectory) else { continue }
      if leftOut.insert(part).inserted {
        excluded.append(
          ConversionReport.Item(
            path: shown(part.joined(separator: [0x2f])), reason: "it matches an exclude pattern"))
      }
      return true
    }
    return false
  }

  /// The directory an entry goes into; directories that the archive doesn't list are made.
  func makeParents(
    _ path: [[UInt8]], _ time: FileTime, _ entry: ArchiveEntry
  ) throws -> FileTree.Node {
    var node = FileTree.root
    for part in path.dropLast() {
      if let next = tree.child(part, of: node) {
        guard tree.isDirectory(next) else {
          if case .symbolicLink = tree.kind(of: next) {
            throw Self.refusal(entry, "its path leads through the symbolic link '\(shown(part))'")
          }
          throw Self.refusal(entry, "'\(shown(part))' on its path is no directory")
        }
        node = next
      } else {
        let attributes = FileAttributes(permissions: 0o755, modified: time)
        node = try tree.add(part, to: node, .directory, attributes)
      }
    }
    return node
  }

  /// Adds an entry; of several with one name the last counts, as tar has it.
  func place(
    _ name: [UInt8], _ directory: FileTree.Node, _ kind: FileKind, _ attributes: FileAttributes,
    _ entry: ArchiveEntry
  ) throws {
    if let old = tree.child(name, of: directory), tree.isDirectory(old) != (kind == .directory) {
      guard tree.childCount(of: old) == 0 else {
        throw Self.refusal(entry, "it would replace a directory that is not empty")
      }
      try tree.remove(name, from: directory)
    }
    try tree.place(name, in: directory, kind, attributes)
  }

  func link(
    _ name: [UInt8], _ directory: FileTree.Node, _ path: [[UInt8]], to target: [UInt8],
    _ entry: ArchiveEntry
  ) throws {
    let targetPath = pathParts(target)
    guard !Self.leadsUpwards(targetPath) else {
      throw Self.refusal(entry, "its target '\(shown(target))' leads upwards")
    }
    guard let node = tree.lookUp(targetPath.joined(separator: [0x2f]).map { $0 }) else {
      let isExcluded = targetPath.indices.contains {
        leftOut.contains(Array(targetPath[...$0]))
      }
      guard isExcluded else {
        throw Self.refusal(
          entry, "it is a hard link to '\(shown(target))', which the archive does not hold")
      }
      dropped.append(
        ConversionReport.Item(
          path: shown(path.joined(separator: [0x2f])),
          reason: "it is a hard link to '\(shown(target))', which is left out"))
      return
    }
    guard !tree.isDirectory(node) else {
      throw Self.refusal(entry, "it is a hard link to the directory '\(shown(target))'")
    }
    // What was streamed lies in the partition of the first name.
    if case .regular(.reference) = tree.kind(of: node),
      disk.writer(for: path) !== disk.writer(for: targetPath)
    {
      dropped.append(
        ConversionReport.Item(
          path: shown(path.joined(separator: [0x2f])),
          reason: "it is a hard link to '\(shown(target))', which is in another partition"))
      return
    }
    if let old = tree.child(name, of: directory) {
      if old == node { return }
      guard !tree.isDirectory(old) else {
        throw Self.refusal(entry, "it would replace a directory")
      }
      try tree.remove(name, from: directory)
    }
    guard tree.linkCount(of: node) < Ext4Writer.largestLinkCount else {
      throw Self.refusal(
        entry, "'\(shown(target))' has \(Ext4Writer.largestLinkCount) names, and no more fit")
    }
    try tree.link(name, in: directory, to: node)
  }
}
