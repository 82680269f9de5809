/// Makes /etc/fstab true for the disk: its partitions go by UUID, the others are not there.
///
/// Entries of disks that stay behind must not make systemd wait 90 seconds and fall into its
/// emergency shell: they get `nofail` where the machine stays itself, and become comments in a
/// template or where their content was read into the root.
func fixFstab(_ guest: inout Guest) throws {
  let old = guest.tree.lines(of: "etc/fstab") ?? []
  var lines: [String] = []
  var changes: [String] = []
  var done: Set<String> = []
  for line in old {
    guard let entry = FileSystemTable.Entry(line) else {
      if line != "# UNCONFIGURED FSTAB FOR BASE SYSTEM" { lines.append(line) }
      continue
    }
    let (new, change) = fixed(entry, line, guest, done)
    done.insert(entry.place)
    lines.append(new)
    if let change { changes.append(change) }
  }
  for partition in guest.partitions where !done.contains(partition.target) {
    switch partition.target {
    case PartitionLayout.swap: lines.append("UUID=\(partition.uuid)\tnone\tswap\tsw\t0\t0")
    case "/": lines.append("UUID=\(partition.uuid)\t/\text4\terrors=remount-ro\t0\t1")
    default: lines.append("UUID=\(partition.uuid)\t\(partition.target)\text4\tdefaults\t0\t2")
    }
    changes.append(
      partition.target == "/" ? "added the root file system" : "added \(partition.target)")
  }
  if lines == old { return }
  try guest.write("etc/fstab", lines.joined(separator: "\n") + "\n")
  guest.record("fstab", changes.joined(separator: "; "))
}

/// - Parameter done: places that an entry above has.
private func fixed(
  _ entry: FileSystemTable.Entry, _ line: String, _ guest: Guest, _ done: Set<String>
) -> (line: String, change: String?) {
  if let partition = guest.partitions.first(where: { $0.target == entry.place }) {
    if done.contains(entry.place) {
      return ("# \(line)", "a second entry for \(entry.place) became a comment")
    }
    return onDisk(entry, line, partition)
  }
  if entry.isSwap {
    return ("# \(line)", "swap on \(entry.source) became a comment: the disk has none")
  }
  if entry.needsNoDisk { return (line, nil) }
  if guest.isTemplate || guest.holdsMounts {
    return ("# \(line)", "\(entry.target) on \(entry.source) became a comment: it is not here")
  }
  if entry.options.contains("nofail") || entry.options.contains("noauto") { return (line, nil) }
  var optional = entry
  optional.options = entry.options.filter { $0 != "defaults" } + ["nofail"]
  return (optional.line, "\(entry.target) on \(entry.source) may be missing (nofail)")
}

/// The entry for a partition of the disk.
private func onDisk(
  _ entry: FileSystemTable.Entry, _ line: String, _ partition: Guest.Partition
) -> (line: String, change: String?) {
  var new = entry
  new.source = "UUID=\(partition.uuid)"
  if !entry.isSwap {
    new.type = "ext4"
    // Other types' options would stop the mount.
    if !["ext2", "ext3", "ext4", "auto"].contains(entry.type) {
      new.options = [entry.isRoot ? "errors=remount-ro" : "defaults"]
    }
  }
  return new == entry
    ? (line, nil) : (new.line, "\(entry.place) is \(new.source), \(new.type)")
}
