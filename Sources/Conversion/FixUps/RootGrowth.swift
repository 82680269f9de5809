/// Sees to it that the root file system takes all of a disk that is larger than the image.
///
/// It is the last partition, so that it can. A unit does it with sfdisk and resize2fs, on each
/// boot, since a disk may grow later. cloud-init does it too, but only where it finds a seed.
func fixRootGrowth(_ guest: inout Guest) throws {
  let tools = ["usr/sbin/sfdisk", "usr/sbin/resize2fs", "usr/bin/findmnt", "usr/bin/lsblk"]
  let missing = tools.filter { tool in
    !guest.tree.has(tool) && !guest.tree.has(String(tool.dropFirst(4)))
  }
  guard guest.hasSystemd, missing.isEmpty else {
    if guest.hasCloudInit, guest.tree.has("usr/bin/growpart") {
      return guest.record("grow-root", "left to cloud-init, which does it where it has a seed")
    }
    let what = guest.hasSystemd ? missing.map { "/\($0)" }.joined(separator: ", ") : "systemd"
    return guest.warnings.append(
      "the root file system will not grow with the disk by itself: \(what) is missing; install "
        + "cloud-init and cloud-guest-utils, or grow it by hand")
  }
  try guest.write("usr/local/sbin/ingot-grow-root", script, permissions: 0o755)
  try guest.addUnit("ingot-grow-root.service", unit, wantedBy: "local-fs.target")
  guest.record("grow-root", "added a unit that grows the root file system on boot")
}

// The backup partition table has to move first: it bounds what a partition may take.
private let script = """
  #!/bin/sh
  # Grows the last partition and the root file system on it to the end of the disk.
  set -eu
  PATH=/usr/sbin:/usr/bin:/sbin:/bin
  root=$(findmnt -nvo SOURCE /)
  disk=/dev/$(lsblk -dno PKNAME "$root")
  number=${root##*[!0-9]}
  size() { cat "/sys/class/block/${1##*/}/size"; }
  start=$(cat "/sys/class/block/${root##*/}/start")
  # Less than 2 MiB behind the partition is the backup table and alignment.
  [ $(($(size "$disk") - start - $(size "$root"))) -gt 4096 ] || exit 0
  sfdisk --no-reread --force --relocate gpt-bak-std "$disk"
  echo ", +" | sfdisk --no-reread --force -N "$number" "$disk"
  partx --update --nr "$number" "$disk"
  resize2fs "$root"

  """

private let unit = """
  [Unit]
  Description=Grow the root file system to the disk's size
  DefaultDependencies=no
  After=systemd-remount-fs.service
  Before=local-fs.target shutdown.target
  Conflicts=shutdown.target

  [Service]
  Type=oneshot
  ExecStart=/usr/local/sbin/ingot-grow-root

  [Install]
  WantedBy=local-fs.target

  """
