internal import FileTree

/// Empties /etc/machine-id, so that each clone gets one of its own on its first boot
/// (machine-id(5)).
func fixMachineID(_ guest: inout Guest) throws {
  guard guest.isTemplate, guest.hasSystemd || guest.tree.has("etc/machine-id") else { return }
  let path = "etc/machine-id"
  if let content = guest.tree.bytes(of: path), content.isEmpty { return try fixDBus(&guest) }
  try guest.write(path, "", permissions: 0o444)
  guest.record("machine-id", "emptied /etc/machine-id; systemd makes one on the first boot")
  try fixDBus(&guest)
}

/// D-Bus has a copy of its own on older systems; a link to the one is what Debian makes.
private func fixDBus(_ guest: inout Guest) throws {
  let path = "var/lib/dbus/machine-id"
  guard let node = guest.tree.lookUp(path), case .regular = guest.tree.kind(of: node) else {
    return
  }
  _ = try guest.remove(in: "var/lib/dbus") { $0 == "machine-id" }
  try guest.makeLink(path, to: "/etc/machine-id")
  guest.record("machine-id", "/var/lib/dbus/machine-id is a link to /etc/machine-id")
}
