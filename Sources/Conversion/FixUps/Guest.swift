internal import FileTree
internal import Resources

/// A guest's tree while it is put right, and the record of what was done to it.
struct Guest {
  /// A partition as /etc/fstab knows it.
  struct Partition {
    /// Where it is mounted, or `swap`.
    var target: String
    var uuid: String
  }

  var tree: FileTree
  let mode: ImageSpecification.Mode
  /// What the disk will hold, the root last.
  let partitions: [Partition]
  /// The host name in template mode.
  let hostName: String
  /// Whether other mounted file systems were read into the tree.
  let holdsMounts: Bool
  /// The time of change of all that fix-ups write.
  let time: FileTime
  var fixUps: [ConversionReport.FixUp] = []
  var warnings: [String] = []

  /// Whether the machine loses its identity.
  var isTemplate: Bool { mode == .template }

  /// Whether the guest runs systemd.
  var hasSystemd: Bool { tree.has("usr/lib/systemd/systemd") || tree.has("lib/systemd/systemd") }

  /// Whether cloud-init sets the guest up on its first boot.
  var hasCloudInit: Bool { tree.has("usr/bin/cloud-init") && hasSystemd }

  /// Notes a change.
  mutating func record(_ name: String, _ change: String) {
    fixUps.append(ConversionReport.FixUp(name: name, change: change))
  }

  /// Writes a small file; one that is there keeps owner and permissions.
  mutating func write(_ path: String, _ text: String, permissions: UInt16 = 0o644) throws {
    let node = try tree.writeFile(
      path, Array(text.utf8), FileAttributes(permissions: permissions, modified: time),
      directories: FileAttributes(permissions: 0o755, modified: time))
    var attributes = tree[node]
    attributes.modified = time
    attributes.changed = time
    attributes.accessed = time
    tree[node] = attributes
  }

  /// Makes a symbolic link where nothing has its name.
  mutating func makeLink(_ path: String, to target: String) throws {
    let parts = pathParts(Array(path.utf8))
    guard let name = parts.last else { return }
    let directory = try tree.makeDirectories(
      parts.dropLast().joined(separator: [0x2f]).map { $0 },
      FileAttributes(permissions: 0o755, modified: time), followingLinks: true)
    if tree.child(name, of: directory) != nil { return }
    try tree.add(
      name, to: directory, .symbolicLink(Array(target.utf8)),
      FileAttributes(permissions: 0o777, modified: time))
  }

  /// Removes the entries of a directory for which `isMeant` holds, and gives their paths.
  mutating func remove(
    in directory: String, where isMeant: (String) -> Bool = { _ in true }
  ) throws -> [String] {
    guard let node = try tree.resolve(directory) else { return [] }
    var removed: [String] = []
    for entry in tree.children(of: node) {
      let name = String(decoding: entry.name, as: UTF8.self)
      guard isMeant(name) else { continue }
      try tree.remove(entry.name, from: node)
      removed.append("/\(directory)/\(name)")
    }
    return removed
  }

  /// Adds a systemd unit and has it started with `target`.
  mutating func addUnit(_ name: String, _ text: String, wantedBy target: String) throws {
    try write("etc/systemd/system/\(name)", text)
    try makeLink(
      "etc/systemd/system/\(target).wants/\(name)", to: "/etc/systemd/system/\(name)")
  }
}

/// All fix-ups in the order they are made.
let allFixUps: [@Sendable (inout Guest) throws -> Void] = [
  fixMountPoints, fixFstab, fixMachineID, fixHostName, fixHostKeys, fixSecrets, fixLeases,
  fixRootGrowth,
]
