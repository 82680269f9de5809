import FileTree
import SystemIO
import TestSupport
import Testing

@testable import Conversion

@Suite struct KernelTests {
  @Test("a kernel's version is read from its header")
  func version() {
    #expect(KernelImage.version(fakeKernel("6.1.0-18-amd64")) == "6.1.0-18-amd64")
    #expect(KernelImage.version([]) == nil)
    #expect(KernelImage.version([UInt8](repeating: 0xff, count: 0x300)) == nil)
    var outside = fakeKernel("6.1")
    outside[0x20f] = 0xff
    #expect(KernelImage.version(outside) == nil)
  }

  @Test(
    "versions are ordered by number",
    arguments: [
      ("6.1.0-9", "6.1.0-18"), ("5.10", "6.1"), ("6.1~rc1", "6.1"), ("6.1.0", "6.1.0-1"),
      ("6.9", "6.10"),
    ])
  func order(older: String, newer: String) {
    #expect(KernelImage.isOlder(older, newer))
    #expect(!KernelImage.isOlder(newer, older))
    #expect(!KernelImage.isOlder(older, older))
  }

  private func tree(_ files: [(String, [UInt8])]) throws -> FileTree {
    var tree = FileTree()
    for (path, bytes) in files {
      try tree.writeFile(path, bytes, FileAttributes(permissions: 0o644))
    }
    return tree
  }

  @Test(
    "a machine's own kernel arguments are kept, but for those that the image decides",
    arguments: [
      ([], [], nil),
      (
        [
          (
            "etc/kernel/cmdline",
            "# one\nroot=UUID=1 ro quiet net.ifnames=0\nfoo=\"a b\" rd.lvm.lv=x/y\n"
          )
        ],
        ["net.ifnames=0", "foo=\"a b\""], nil
      ),
      (
        [
          (
            "etc/default/grub",
            "GRUB_TIMEOUT=5\n#GRUB_CMDLINE_LINUX=no\nGRUB_CMDLINE_LINUX='a=1 console=tty0'\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet splash b\" # c\n"
          )
        ], ["a=1", "b"], nil
      ),
      (
        [
          ("etc/default/grub", "GRUB_CMDLINE_LINUX=a"),
          ("etc/default/grub.d/20.cfg", "GRUB_CMDLINE_LINUX=\"${GRUB_CMDLINE_LINUX} c\""),
          ("etc/default/grub.d/10.cfg", "  GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX b\""),
          ("etc/default/grub.d/30.bak", "GRUB_CMDLINE_LINUX=no"),
        ], ["a", "b", "c"], nil
      ),
      ([("etc/default/grub", "GRUB_CMDLINE_LINUX=\"$(x)\"")], [], "more than plain text"),
      ([("etc/default/grub", "GRUB_CMDLINE_LINUX=\"a")], [], "more than plain text"),
      ([("etc/kernel/cmdline", "a \u{1}b=c d=\u{e9}")], ["a"], "not plain text"),
      (
        [("etc/kernel/cmdline", "a=\(String(repeating: "x", count: 2000)) b")], [],
        "room for"
      ),
    ] as [([(String, String)], [String], String?)])
  func arguments(files: [(String, String)], kept: [String], warning: String?) throws {
    let arguments = KernelArguments(
      try tree(files.map { ($0.0, Array($0.1.utf8)) }), isTemplate: false)
    #expect(arguments.kept == kept)
    #expect(arguments.warnings.isEmpty == (warning == nil))
    for text in arguments.warnings { #expect(text.contains(warning ?? "")) }
  }

  @Test("a template's clones don't get one's identity by its kernel's arguments")
  func identity() throws {
    let text = "systemd.machine_id=1 systemd.hostname=old a"
    let tree = try tree([("etc/kernel/cmdline", Array(text.utf8))])
    #expect(KernelArguments(tree, isTemplate: true).kept == ["a"])
    #expect(KernelArguments(tree, isTemplate: false).kept.joined(separator: " ") == text)
  }

  @Test("the newest kernel that is whole wins over a newer one that isn't")
  func newest() throws {
    let tree = try tree([
      ("boot/vmlinuz-6.1.0-9-amd64", fakeKernel("6.1.0-9-amd64")),
      ("boot/initrd.img-6.1.0-9-amd64", [1]), ("usr/lib/modules/6.1.0-9-amd64/modules.dep", []),
      ("boot/vmlinuz-6.1.0-18-amd64", fakeKernel("6.1.0-18-amd64")),
    ])
    var search = KernelSearch(tree)
    #expect(search.run()?.version == "6.1.0-9-amd64")
    // Its initramfs can't be read, and nothing says that it has the drivers.
    #expect(search.warnings.count == 1)
  }

  @Test(
    "an initramfs is opened, however it is compressed, and what it lacks is warned of",
    arguments: ["cat", "gzip", "zstd", "xz", "lz4 -l", "bzip2"])
  func drivers(compress: String) throws {
    let scratch = try Scratch()
    func warnings(_ names: [String]) throws -> [String] {
      let prefix = "usr/lib/modules/1/kernel/drivers/"
      let plain = try scratch.write("plain", cpio(names.map { prefix + $0 }))
      try Tool.check("sh", ["-c", "\(compress) < \(plain) > \(plain).out"])
      let ramDisk =
        cpio([prefix + "virtio_pci.ko"]) + [0, 0, 0, 0] + (try readFile("\(plain).out"))
      var search = KernelSearch(
        try tree([
          ("boot/vmlinuz-1", fakeKernel("1")), ("boot/initrd.img-1", ramDisk),
          ("usr/lib/modules/1/x", []),
        ]))
      _ = search.run()
      return search.warnings
    }
    #expect(try warnings(["virtio_blk.ko.xz", "ext4.ko"]) == [])
    #expect(try warnings(["ahci.ko"]).first?.contains("does not hold virtio_blk, ext4,") == true)
  }

  @Test("a kernel without an initramfs must have the drivers built in")
  func noRAMDisk() throws {
    for (driver, count) in [("ext4", 0), ("xfs", 1)] {
      let builtIn = ["virtio_pci", "virtio_blk", driver].map { "kernel/x/\($0).ko\n" }.joined()
      var search = KernelSearch(
        try tree([
          ("boot/vmlinuz-1", fakeKernel("1")),
          ("usr/lib/modules/1/modules.builtin", Array(builtIn.utf8)),
          ("lib/modules/1/modules.builtin", Array(builtIn.utf8)),
        ]))
      _ = search.run()
      #expect(search.warnings.count == count, "\(search.warnings)")
    }
  }

  @Test("a damaged initramfs tells nothing")
  func damaged() {
    let whole = cpio(["a"])
    #expect(InitialRAMDisk.names(whole) == ["/a"])
    #expect(InitialRAMDisk.names(Array(whole[..<115])) == nil)
    #expect(InitialRAMDisk.names(Array("070701zzzz".utf8)) == nil)
  }

  private func cpio(_ names: [String]) -> [UInt8] {
    var bytes: [UInt8] = []
    for name in names + ["TRAILER!!!"] {
      let size = String(name.utf8.count + 1, radix: 16)
      let fields = (0..<13).map { $0 == 11 ? size : "0" }
      bytes += Array("070701".utf8)
      for field in fields {
        bytes += Array(String(repeating: "0", count: 8 - field.count).utf8) + Array(field.utf8)
      }
      bytes += Array(name.utf8) + [0]
      while bytes.count % 4 != 0 { bytes.append(0) }
    }
    return bytes
  }
}
