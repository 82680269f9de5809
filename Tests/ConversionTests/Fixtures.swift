import Conversion
import DiskImage
import Resources
import SystemIO
import TestSupport

/// Options for small, quick disks.
func smallOptions(
  _ mode: ImageSpecification.Mode = .template, _ format: DiskFormat = .raw
) -> ConversionOptions {
  var options = ConversionOptions()
  options.mode = mode
  options.format = format
  options.threads = 2
  return options
}

/// Converts with the real host.
func convert(
  _ source: ConversionSource, _ options: ConversionOptions, to path: String
) async throws -> Conversion {
  try await Converter(options, host: .live()).convert(source, to: path)
}

/// Takes the root partition out of a raw disk and has e2fsck check it.
func checkedPartition(of disk: String, in scratch: Scratch) throws -> String {
  let partition = disk + ".root"
  let size = try Descriptor.open(disk, .read).size() / (1 << 20)
  try Tool.check(
    "dd", ["if=\(disk)", "of=\(partition)", "bs=1M", "skip=1", "count=\(size - 2)", "conv=sparse"])
  try Tool.check("e2fsck", ["-fn", partition])
  try Tool.check("sfdisk", ["--verify", disk])
  return partition
}

/// What debugfs says to a request.
func debugfs(_ partition: String, _ request: String) throws -> String {
  try Tool.check("debugfs", ["-R", request, partition])
}

/// A file as a Linux x86 kernel begins, of a version.
func fakeKernel(_ version: String) -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: 0x400)
  bytes.replaceSubrange(0x202..<0x206, with: Array("HdrS".utf8))
  bytes[0x20e] = 0x80
  let text = Array("\(version) (builder@host) #1".utf8) + [0]
  bytes.replaceSubrange(0x280..<0x280 + text.count, with: text)
  return bytes
}

/// Makes a directory tree as a small Debian would be.
func makeDebian(in scratch: Scratch) throws -> String {
  let root = scratch.file("debian")
  let version = "6.1.0-18-amd64"
  for directory in [
    "boot", "etc/ssh", "usr/lib/systemd", "usr/sbin", "usr/bin", "usr/lib/modules/\(version)",
    "var/lib/dbus", "var/lib/systemd", "proc/1", "tmp",
  ] {
    try makeDirectories("\(root)/\(directory)")
  }
  let files: [(String, [UInt8])] = [
    ("boot/vmlinuz-6.1.0-9-amd64", fakeKernel("6.1.0-9-amd64")),
    ("boot/vmlinuz-\(version)", fakeKernel(version)),
    ("boot/initrd.img-\(version)", Array("ramdisk".utf8)),
    ("usr/lib/modules/\(version)/modules.builtin", Array(builtIn.utf8)),
    ("etc/fstab", Array("UUID=\(oldUUID) / ext4 noatime 0 1\nUUID=1 none swap sw 0 0\n".utf8)),
    ("etc/machine-id", Array("0123456789abcdef0123456789abcdef\n".utf8)),
    ("etc/hostname", Array("old\n".utf8)),
    ("etc/ssh/ssh_host_ed25519_key", Array("SECRET-HOST-KEY".utf8)),
    ("var/lib/systemd/random-seed", Array("SECRET-SEED".utf8)),
    ("usr/lib/systemd/systemd", [1]), ("usr/sbin/sshd", [1]), ("usr/bin/ssh-keygen", [1]),
    ("proc/1/stat", [1]),
  ]
  for (path, bytes) in files { try replaceFile("\(root)/\(path)", with: bytes) }
  return root
}

let oldUUID = "01234567-89ab-4def-8123-456789abcdef"
private let builtIn = "kernel/drivers/virtio/virtio_pci.ko\nkernel/drivers/block/virtio_blk.ko\n"
