internal import Ext4

/// Warns where the guest's own tools may not know what its file systems are written with.
///
/// An archive is written while it is read, before its mke2fs.conf is known; so that a tree and its
/// tar give the same bytes, the user decides and not what is found.
func checkFeatures(_ guest: inout Guest, _ profile: Ext4Profile) {
  guard profile == .standard, let configuration = guest.tree.bytes(of: "etc/mke2fs.conf"),
    Ext4Profile(configuration: configuration) == .classic
  else { return }
  guest.warnings.append(
    "by its /etc/mke2fs.conf the guest makes ext4 without metadata_csum or 64bit; if its tools "
      + "can't read them, convert with --ext4 classic")
}
