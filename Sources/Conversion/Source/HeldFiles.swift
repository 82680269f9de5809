/// Which files are held in memory instead of going straight to the disk.
///
/// They are what fix-ups read, change or remove, and what boots the guest. What fix-ups remove
/// must be among them: a secret that was streamed would stay in the image's free blocks.
struct HeldFiles {
  /// Bytes that may be held at most.
  let limit: Int
  private var held = 0

  init(limit: Int) { self.limit = limit }

  /// Whether a file at a path, given as its parts, is held.
  static func holds(_ path: [[UInt8]]) -> Bool {
    guard path.count > 1, let name = path.last else { return false }
    switch path[0] {
    case directoryEtc:
      return path.count == 2
        ? etcFiles.contains(name) : bootSettings.contains(path) || isBelow(path, etcTrees)
    case directoryBoot: return path.count == 2 && isBootFile(name)
    case directoryVar: return isBelow(path, varTrees)
    case directoryUsr, directoryLib:
      if path.count == 3, name == Array("os-release".utf8) { return true }
      let isModules = path.dropLast(2).last == Array("modules".utf8)
      return isModules && (name == Array("vmlinuz".utf8) || name == Array("modules.builtin".utf8))
    default: return false
    }
  }

  /// Counts bytes that come into memory.
  mutating func add(_ count: Int, _ path: @autoclosure () -> String) throws {
    held += count
    if held > limit {
      throw ConversionError(
        "\(path()) and the other files that fix-ups need take more than \(limit) bytes",
        help: "remove old kernels or exclude the file")
    }
  }

  private static let directoryEtc = Array("etc".utf8)
  private static let directoryBoot = Array("boot".utf8)
  private static let directoryVar = Array("var".utf8)
  private static let directoryUsr = Array("usr".utf8)
  private static let directoryLib = Array("lib".utf8)
  private static let etcFiles = Set(
    ["fstab", "hostname", "machine-id", "os-release", "crypttab", "passwd", "group", "mke2fs.conf"]
      .map {
        Array($0.utf8)
      })
  private static let etcTrees = ["etc/ssh", "etc/default/grub.d"].map(parts)
  private static let bootSettings = ["etc/kernel/cmdline", "etc/default/grub"].map(parts)
  private static let varTrees = [
    "var/lib/dbus", "var/lib/dhcp", "var/lib/dhclient", "var/lib/NetworkManager",
    "var/lib/systemd", "var/lib/cloud",
  ].map(parts)
  private static let bootPrefixes = ["vmlinuz", "vmlinux", "initrd", "initramfs"]

  private static func isBootFile(_ name: [UInt8]) -> Bool {
    bootPrefixes.contains { name.starts(with: $0.utf8) }
  }

  private static func isBelow(_ path: [[UInt8]], _ trees: [[[UInt8]]]) -> Bool {
    trees.contains { path.count > $0.count && path.starts(with: $0) }
  }

  private static func parts(_ path: String) -> [[UInt8]] { pathParts(Array(path.utf8)) }
}
