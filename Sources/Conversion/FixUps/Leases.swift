/// Removes a template's DHCP leases, so that no clone asks for another's address.
func fixLeases(_ guest: inout Guest) throws {
  guard guest.isTemplate else { return }
  var removed: [String] = []
  for directory in ["var/lib/dhcp", "var/lib/dhclient", "var/lib/NetworkManager"] {
    removed += try guest.remove(in: directory) {
      $0.hasSuffix(".lease") || $0.hasSuffix(".leases")
    }
  }
  if !removed.isEmpty { guest.record("leases", "removed \(removed.joined(separator: ", "))") }
}
