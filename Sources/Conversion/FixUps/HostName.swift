/// Gives a template a neutral host name; cloud-init or the clone's owner sets the real one.
func fixHostName(_ guest: inout Guest) throws {
  guard guest.isTemplate else { return }
  let old = guest.tree.lines(of: "etc/hostname")
  if old == [guest.hostName] { return }
  try guest.write("etc/hostname", guest.hostName + "\n")
  guest.record("hostname", "set to \(guest.hostName)")
}
