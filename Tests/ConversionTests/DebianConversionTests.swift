import Conversion
import DiskImage
import EngineInterface
import Ext4
import JSON
import Resources
import SystemIO
import TestSupport
import Testing

@Suite struct DebianConversionTests {
  @Test("a template has no secrets in any block, and the newest kernel boots it")
  func template() async throws {
    let scratch = try Scratch()
    let root = try makeDebian(in: scratch)
    let disk = scratch.file("disk")
    let result = try await convert(.directory(path: root), smallOptions(), to: disk)
    let kernel = try #require(result.report.kernel)
    #expect(kernel.version == "6.1.0-18-amd64")
    #expect(result.bootFiles?.kernel == fakeKernel("6.1.0-18-amd64"))
    #expect(result.bootFiles?.initialRAMDisk == Array("ramdisk".utf8))
    #expect(
      result.bootFiles?.arguments
        == "root=UUID=\(result.report.image.rootUUID) ro console=tty0 console=ttyS0,115200")
    #expect(result.report.image.rootUUID != oldUUID)
    #expect(try Tool.run("grep", ["-c", "SECRET", disk]).output == "0\n")
    let partition = try checkedPartition(of: disk, in: scratch)
    let identity = try Tool.check("blkid", ["-p", "-o", "value", "-s", "UUID", partition])
    #expect(identity == result.report.image.rootUUID + "\n")
    #expect(try debugfs(partition, "cat /etc/hostname").contains("localhost"))
  }

  @Test("a machine that moves keeps the UUID that its fstab names, and its secrets")
  func migrate() async throws {
    let scratch = try Scratch()
    let root = try makeDebian(in: scratch)
    let disk = scratch.file("disk")
    try makeDirectories("\(root)/etc/default")
    try replaceFile(
      "\(root)/etc/default/grub", with: Array("GRUB_CMDLINE_LINUX='quiet net.ifnames=0'\n".utf8))
    let result = try await convert(.directory(path: root), smallOptions(.migrate), to: disk)
    #expect(result.report.image.rootUUID == oldUUID)
    #expect(
      result.bootFiles?.arguments
        == "root=UUID=\(oldUUID) ro console=tty0 console=ttyS0,115200 net.ifnames=0")
    let partition = try checkedPartition(of: disk, in: scratch)
    #expect(try debugfs(partition, "cat /etc/ssh/ssh_host_ed25519_key").contains("SECRET"))
    #expect(try debugfs(partition, "cat /etc/fstab").contains("# UUID=1 none swap"))
  }

  @Test("a guest whose tools know less is warned of, and gets what they know when asked")
  func olderGuest() async throws {
    let scratch = try Scratch()
    let root = try makeDebian(in: scratch)
    let configuration = "[fs_types]\n  ext4 = {\n    features = has_journal,extent,uninit_bg\n  }\n"
    try replaceFile("\(root)/etc/mke2fs.conf", with: Array(configuration.utf8))
    var options = smallOptions(.migrate)
    options.verifies = true
    let disk = scratch.file("disk")
    let standard = try await convert(.directory(path: root), options, to: disk)
    #expect(standard.report.warnings.contains { $0.contains("--ext4 classic") })
    options.ext4 = .classic
    let classic = try await convert(.directory(path: root), options, to: disk)
    #expect(!classic.report.warnings.contains { $0.contains("--ext4") })
    let partition = try checkedPartition(of: disk, in: scratch)
    let features = try Tool.check("dumpe2fs", ["-h", partition])
    #expect(features.contains("uninit_bg") && !features.contains("metadata_csum"))
  }

  @Test("a size is met exactly, and one too small names the bytes missing and leaves nothing")
  func size() async throws {
    let scratch = try Scratch()
    let root = try makeDebian(in: scratch)
    var options = smallOptions(.template, .qcow2)
    options.size = 1 << 30
    let disk = scratch.file("disk")
    let result = try await convert(.directory(path: root), options, to: disk)
    #expect(result.report.image.virtualSize == 1 << 30)

    try Tool.check("dd", ["if=/dev/zero", "of=\(root)/filler", "bs=1M", "count=40"])
    options.size = 32 << 20
    let small = scratch.file("small")
    let error = await #expect(throws: (any Error).self) {
      try await convert(.directory(path: root), options, to: small)
    }
    #expect(error.map { "\($0)".contains("more than the size") } == true)
    #expect(try namesInDirectory(scratch.path).filter { $0.hasPrefix("small") } == [])
  }

  @Test(
    "what can't be done is refused before any work",
    arguments: ["bios", "uefi", "size", "label", "missing"])
  func refusals(what: String) async throws {
    let scratch = try Scratch()
    var options = smallOptions()
    if what == "bios" || what == "uefi" { options.boot = ["direct", what] }
    if what == "size" { options.size = 4097 }
    if what == "label" { options.label = String(repeating: "x", count: 17) }
    let refused = options
    await #expect(throws: ConversionError.self) {
      try await convert(
        .directory(path: scratch.file("nothing")), refused, to: scratch.file("disk"))
    }
    #expect(try namesInDirectory(scratch.path) == [])
  }

  @Test("a full disk leaves no file and is named")
  func fullDisk() async throws {
    let scratch = try Scratch()
    let root = try makeDebian(in: scratch)
    let mount = scratch.file("full")
    try makeDirectories(mount)
    let mounted = try Tool.run("mount", ["-t", "tmpfs", "-o", "size=1m", "none", mount])
    // Only root can have a file system that fills up so soon.
    guard mounted.status == 0 else { return }
    scratch.onEnd { _ = try? Tool.run("umount", [mount]) }
    try Tool.check("dd", ["if=/dev/urandom", "of=\(root)/filler", "bs=1M", "count=8"])
    let error = await #expect(throws: (any Error).self) {
      try await convert(.directory(path: root), smallOptions(), to: "\(mount)/disk")
    }
    #expect(error.map { "\($0)".contains("No space left") } == true)
    #expect(try namesInDirectory(mount) == [])
  }

  @Test("a conversion that is cancelled leaves nothing and keeps what stood there")
  func cancelled() async throws {
    let scratch = try Scratch()
    let root = try makeDebian(in: scratch)
    let disk = try scratch.write("disk", "old")
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try await convert(.directory(path: root), smallOptions(), to: disk)
    }
    await #expect(throws: ConversionCancelled.self) { _ = try await task.value }
    #expect(try readFile(disk) == Array("old".utf8))
    #expect(try namesInDirectory(scratch.path) == ["debian", "disk"])
  }

  @Test("the report as JSON can be read back and says what it says as text")
  func report() async throws {
    let scratch = try Scratch()
    let root = try makeDebian(in: scratch)
    let result = try await convert(.directory(path: root), smallOptions(), to: scratch.file("d"))
    let json = try JSONValue(parsing: result.report.json.text(pretty: true))
    #expect(json["image"]?["sha256"]?.string == result.report.image.digest)
    #expect(json["exitCode"] == 0)
    #expect(result.report.text.contains(result.report.image.digest))
  }
}
