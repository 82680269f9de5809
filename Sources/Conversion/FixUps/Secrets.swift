/// Removes what must differ from clone to clone: the random seed, systemd's credential key,
/// cloud-init's record of the first boot and names tied to network cards.
func fixSecrets(_ guest: inout Guest) throws {
  guard guest.isTemplate else { return }
  var removed = try guest.remove(in: "var/lib/systemd") {
    $0 == "random-seed" || $0 == "credential.secret"
  }
  removed += try guest.remove(in: "var/lib/cloud") {
    ["instance", "instances", "data", "sem"].contains($0)
  }
  removed += try guest.remove(in: "etc/udev/rules.d") { $0 == "70-persistent-net.rules" }
  if !removed.isEmpty {
    guest.record("secrets", "removed \(removed.joined(separator: ", "))")
  }
}
