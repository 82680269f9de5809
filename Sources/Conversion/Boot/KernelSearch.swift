internal import FileTree

/// The kernel that boots the guest, and its initramfs.
struct FoundKernel {
  var version: String
  var path: String
  var bytes: [UInt8]
  var initialRAMDiskPath: String?
  var initialRAMDisk: [UInt8]?
}

/// Finds the newest kernel of a tree that has its modules, and says what is doubtful about it.
struct KernelSearch {
  let tree: FileTree
  private(set) var warnings: [String] = []

  init(_ tree: FileTree) { self.tree = tree }

  /// The newest kernel with modules and initramfs; else the newest that lacks one of them.
  mutating func run() -> FoundKernel? {
    var found = candidates()
    found.sort { KernelImage.isOlder($0.version, $1.version) }
    let complete = found.last { hasModules($0.version) && $0.initialRAMDisk != nil }
    guard let kernel = complete ?? found.last else { return nil }
    if !hasModules(kernel.version) {
      warnings.append(
        "kernel \(kernel.version) has no modules in /lib/modules; what it does not have built in "
          + "will be missing")
    }
    checkDrivers(kernel)
    return kernel
  }

  private func candidates() -> [FoundKernel] {
    var found: [FoundKernel] = []
    func consider(_ path: String, _ fallback: String?) {
      guard let bytes = tree.bytes(of: path), !bytes.isEmpty else { return }
      // Other architectures' kernels don't tell; the name does.
      guard let version = KernelImage.version(bytes) ?? fallback else { return }
      var kernel = FoundKernel(version: version, path: path, bytes: bytes)
      for name in Self.ramDiskNames(version) {
        guard let content = tree.bytes(of: name), !content.isEmpty else { continue }
        kernel.initialRAMDiskPath = name
        kernel.initialRAMDisk = content
        break
      }
      found.append(kernel)
    }
    for name in tree.names(in: "boot") {
      for prefix in ["vmlinuz", "vmlinux"] where name.hasPrefix(prefix) {
        let rest = name.dropFirst(prefix.count)
        consider("boot/\(name)", rest.hasPrefix("-") ? String(rest.dropFirst()) : nil)
      }
    }
    for version in tree.names(in: "usr/lib/modules") + tree.names(in: "lib/modules") {
      consider("usr/lib/modules/\(version)/vmlinuz", version)
    }
    return found
  }

  /// The names that Debian, Red Hat, SUSE and Arch give an initramfs.
  private static func ramDiskNames(_ version: String) -> [String] {
    [
      "boot/initrd.img-\(version)", "boot/initramfs-\(version).img", "boot/initrd-\(version)",
      "boot/initramfs-linux.img",
    ]
  }

  private func hasModules(_ version: String) -> Bool {
    tree.has("usr/lib/modules/\(version)") || tree.has("lib/modules/\(version)")
  }

  /// Looks for what the kernel reads the virtual disk's root with: built in, or in the initramfs.
  private mutating func checkDrivers(_ kernel: FoundKernel) {
    let builtIn =
      tree.lines(of: "lib/modules/\(kernel.version)/modules.builtin")
      ?? tree.lines(of: "usr/lib/modules/\(kernel.version)/modules.builtin") ?? []
    let needed = ["virtio_pci", "virtio_blk", "ext4"].filter { driver in
      !builtIn.contains { $0.hasSuffix("/\(driver).ko") }
    }
    if needed.isEmpty { return }
    guard let ramDisk = kernel.initialRAMDisk else {
      warnings.append(
        "kernel \(kernel.version) has no initramfs in /boot, and \(needed.joined(separator: ", ")) "
          + "is not built in: it can't mount its root")
      return
    }
    guard let names = InitialRAMDisk.names(ramDisk) else {
      return warn(needed, kernel, "can't be read; it may not hold")
    }
    let missing = needed.filter { driver in !names.contains { $0.contains("/\(driver).ko") } }
    if !missing.isEmpty { warn(missing, kernel, "does not hold") }
  }

  private mutating func warn(_ drivers: [String], _ kernel: FoundKernel, _ verb: String) {
    warnings.append(
      "the initramfs of kernel \(kernel.version) \(verb) \(drivers.joined(separator: ", ")), which "
        + "the virtual disk needs; on the source add them to /etc/initramfs-tools/modules and run "
        + "update-initramfs -u, or dracut -f --add-drivers \"\(drivers.joined(separator: " "))\", "
        + "and convert again")
  }
}
