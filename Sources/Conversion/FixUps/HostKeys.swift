/// Removes a template's SSH host keys, which clones must not share, and sees to it that new ones
/// are made on the first boot: Debian's sshd doesn't make missing ones.
func fixHostKeys(_ guest: inout Guest) throws {
  guard guest.isTemplate else { return }
  let removed = try guest.remove(in: "etc/ssh") { $0.hasPrefix("ssh_host_") }
  if !removed.isEmpty { guest.record("ssh-host-keys", "removed \(removed.count) files") }
  guard guest.tree.has("usr/sbin/sshd"), guest.tree.has("usr/bin/ssh-keygen") else { return }
  if guest.hasCloudInit || !guest.hasSystemd { return }
  try guest.addUnit("ingot-ssh-host-keys.service", unit, wantedBy: "multi-user.target")
  guest.record("ssh-host-keys", "added a unit that makes keys on the first boot")
}

private let unit = """
  [Unit]
  Description=Make missing SSH host keys
  Before=ssh.service sshd.service
  ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key

  [Service]
  Type=oneshot
  ExecStart=/usr/bin/ssh-keygen -A

  [Install]
  WantedBy=multi-user.target

  """
