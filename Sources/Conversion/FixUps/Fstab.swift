/// Makes /etc/fstab true for a disk with nothing but an ext4 root.
///
/// Entries of disks that stay behind must not make systemd wait 90 seconds and fall into its
/// emergency shell: they get `nofail` where the machine stays itself, and become comments in a
/// template or where their content was read into the root.
func fixFstab(_ guest: inout Guest) throws {
  let old = guest.tree.lines(of: "etc/fstab") ?? []
  var lines: [String] = []
  var changes: [String] = []
  var hasRoot = false
  for line in old {
    guard let entry = FileSystemTable.Entry(line) else {
      if line != "# UNCONFIGURED FSTAB FOR BASE SYSTEM" { lines.append(line) }
      continue
    }
    let (new, change) = fixed(entry, line, guest, hasRoot: hasRoot)
    hasRoot = hasRoot || entry.isRoot
    lines.append(new)
    if let change { changes.append(change) }
  }
  if !hasRoot {
    lines.append("UUID=\(guest.rootUUID)\t/\text4\terrors=remount-ro\t0\t1")
    changes.append("added the root file system")
  }
  if lines == old { return }
  try guest.write("etc/fstab", lines.joined(separator: "\n") + "\n")
  guest.record("fstab", changes.joined(separator: "; "))
}

private func fixed(
  _ entry: FileSystemTable.Entry, _ line: String, _ guest: Guest, hasRoot: Bool
) -> (line: String, change: String?) {
  if entry.isRoot {
    if hasRoot { return ("# \(line)", "a second entry for / became a comment") }
    var root = entry
    root.source = "UUID=\(guest.rootUUID)"
    root.type = "ext4"
    // Other types' options would stop the mount.
    if !["ext2", "ext3", "ext4", "auto"].contains(entry.type) {
      root.options = ["errors=remount-ro"]
    }
    return root == entry ? (line, nil) : (root.line, "/ is \(root.source), ext4")
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
