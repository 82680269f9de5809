internal import FileTree

/// Makes the directories that a kernel and an init mount their file systems on, the disk's own
/// among them.
func fixMountPoints(_ guest: inout Guest) throws {
  let wanted: [(name: String, permissions: UInt16)] = [
    ("dev", 0o755), ("proc", 0o555), ("sys", 0o555), ("run", 0o755), ("tmp", 0o1777),
  ]
  var made: [String] = []
  for (name, permissions) in wanted where guest.tree.lookUp(name) == nil {
    try guest.tree.add(
      Array(name.utf8), to: FileTree.root, .directory,
      FileAttributes(permissions: permissions, modified: guest.time))
    made.append("/\(name)")
  }
  for partition in guest.partitions
  where partition.target != PartitionLayout.swap && guest.tree.lookUp(partition.target) == nil {
    try guest.tree.makeDirectories(
      Array(partition.target.utf8), FileAttributes(permissions: 0o755, modified: guest.time))
    made.append(partition.target)
  }
  if !made.isEmpty { guest.record("mount-points", "made \(made.joined(separator: ", "))") }
}
