import DiskImage
import FileTree
import JSON
import Resources
import SystemIO
import TestSupport
import Testing

@testable import Conversion

@Suite struct DirectoryConversionTests {
  /// A tree with one of everything that an ordinary user can make, and with devices for root.
  private func makeTree(_ scratch: Scratch) throws -> String {
    let root = scratch.file("tree")
    let script = """
      set -e; umask 022; mkdir -p "$1/dir/deep" "$1/full"; cd "$1"
      echo hello > dir/file; chmod 4755 dir/file; ln dir/file dir/hard; ln -s ../x dir/link
      ln -s "$(printf '%0200d' 7)" dir/longlink; : > empty
      head -c 3000000 /dev/urandom > big; truncate -s 5M sparse
      echo data | dd of=sparse bs=1 seek=2097152 conv=notrunc status=none
      printf x > "$(printf 'bad\\377name')"; mkfifo fifo; setfattr -n user.note -v 'a value' dir/file
      setfacl -m u:1234:rw dir/file; setfacl -d -m g:77:rx dir/deep; chmod 1777 full
      for i in $(seq 300); do echo $i > full/a-rather-long-name-for-a-file-$i; done
      if [ "$(id -u)" = 0 ]; then mknod null c 1 3; chown 70000:80000 dir/deep; fi
      touch -h -d '2001-02-03 04:05:06.123456789 UTC' dir/link; touch -d @1000000000.5 dir/file
      """
    try Tool.check("sh", ["-c", script, "sh", root])
    return root
  }

  @Test("inode flags that statx(2) does not tell are kept, of directories and of files of any size")
  func inodeFlags() async throws {
    let scratch = try Scratch()
    let root = scratch.file("tree")
    try makeDirectories("\(root)/folder")
    try replaceFile("\(root)/empty", with: [])
    try replaceFile("\(root)/small", with: [1])
    try replaceFile("\(root)/large", with: [UInt8](repeating: 7, count: 3_000_000))
    let names = ["folder", "empty", "small", "large"]
    try Tool.check("chattr", ["+A"] + names.map { "\(root)/\($0)" })
    let disk = scratch.file("disk.raw")
    _ = try await convert(.directory(path: root), smallOptions(.migrate), to: disk)
    let partition = try checkedPartition(of: disk, in: scratch)
    for name in names {
      // FS_NOATIME_FL beside the extents that ext4 has.
      #expect(try debugfs(partition, "stat /\(name)").contains("Flags: 0x80080"), "\(name)")
    }
  }

  @Test("a directory becomes a disk that e2fsck accepts and that holds all of it")
  func everything() async throws {
    let scratch = try Scratch()
    let root = try makeTree(scratch)
    let disk = scratch.file("disk.raw")
    let result = try await convert(.directory(path: root), smallOptions(.migrate), to: disk)
    #expect(result.report.exitCode == 0)
    let partition = try checkedPartition(of: disk, in: scratch)

    try makeDirectories(scratch.file("out"))
    _ = try debugfs(partition, "rdump / \(scratch.file("out"))")
    try Tool.check("rm", ["-rf", scratch.file("out/lost+found")])
    for name in ["dir/file", "big", "sparse", "full", "empty"] {
      try Tool.check(
        "diff", ["-r", "--no-dereference", "\(root)/\(name)", scratch.file("out/\(name)")])
    }
    let file = try debugfs(partition, "stat /dir/file")
    #expect(file.contains("Mode:  0777") || file.contains("Mode:  04775"))
    #expect(file.contains("Links: 2"))
    #expect(file.contains("user.note") && file.contains("system.posix_acl_access"))
    #expect(file.contains("mtime: 0x3b9aca00:77359400"))
    #expect(try debugfs(partition, "stat /dir/link").contains("Fast link dest: \"../x\""))
    #expect(try debugfs(partition, "stat /fifo").contains("Type: FIFO"))
    #expect(try debugfs(partition, "ls /").contains("bad"))
    let sparse = try debugfs(partition, "stat /sparse")
    #expect(sparse.contains("Size: 5242880") && sparse.contains("Blockcount: 8\n"))
    let null = try debugfs(partition, "stat /null")
    if null.contains("Inode:") { #expect(null.contains("Device major/minor number: 01:03")) }
    #expect(result.report.counts.hardLinks == 1)
  }

  @Test("the same tree gives the same bytes: twice, as qcow2, and from a sorted tar")
  func sameBytes() async throws {
    let scratch = try Scratch()
    let root = try makeTree(scratch)
    let tar = scratch.file("tree.tar.gz")
    try Tool.check(
      "tar",
      [
        "--format=posix", "--xattrs", "--acls", "--sort=name", "--sparse", "--numeric-owner",
        "-czf", tar, "-C", root, ".",
      ])
    let first = try await convert(
      .directory(path: root), smallOptions(), to: scratch.file("a.raw"))
    var other = smallOptions()
    other.threads = 1
    let second = try await convert(.directory(path: root), other, to: scratch.file("b.raw"))
    let third = try await convert(.archive(path: tar), smallOptions(), to: scratch.file("c.raw"))
    let fourth = try await convert(
      .directory(path: root), smallOptions(.template, .qcow2), to: scratch.file("d.qcow2"))
    #expect(first.report.image.digest == second.report.image.digest)
    #expect(first.report.image.digest == third.report.image.digest)
    #expect(first.report.counts == third.report.counts)
    try Tool.check("qemu-img", ["check", scratch.file("d.qcow2")])
    try Tool.check("qemu-img", ["compare", scratch.file("a.raw"), scratch.file("d.qcow2")])
    let digest = try Tool.check("sha256sum", [scratch.file("d.qcow2")])
    #expect(digest.hasPrefix(fourth.report.image.digest))
  }

  @Test("another tree gives other identifiers")
  func otherIdentifiers() async throws {
    let scratch = try Scratch()
    let root = try makeTree(scratch)
    let one = try await convert(.directory(path: root), smallOptions(), to: scratch.file("a"))
    try Tool.check("touch", ["\(root)/another"])
    let two = try await convert(.directory(path: root), smallOptions(), to: scratch.file("b"))
    #expect(one.report.image.rootUUID != two.report.image.rootUUID)
  }

  @Test(
    "a file that changes between scan and reading is reported by name, and the disk is sound",
    arguments: [
      ("truncate -s 10 big", "big", "shrank"), ("echo more >> big", "big", "grew"),
      ("rm big", "big", "vanished"), ("rm big; mkfifo big", "big", "replaced"),
      ("rm big; ln -s /etc/passwd big", "big", "replaced"),
      ("truncate -s 1 dir/file", "dir/file", "shrank"), ("rm -r dir", "dir/file", "vanished"),
      ("mv dir d; ln -s /etc dir", "dir/file", "could not be read"),
      ("echo HELLO > dir/file", "dir/file", "written to"),
    ])
  func changing(change: String, path: String, reason: String) async throws {
    let scratch = try Scratch()
    let root = try makeTree(scratch)
    var converter = Converter(smallOptions(), host: .live())
    converter.afterScan = { try Tool.check("sh", ["-c", change], in: root) }
    let disk = scratch.file("disk.raw")
    let result = try await converter.convert(.directory(path: root), to: disk)
    let items = result.report.dropped + result.report.changed
    #expect(items.contains { $0.path == path && $0.reason.contains(reason) }, "\(items)")
    #expect(result.report.exitCode == 6)
    _ = try checkedPartition(of: disk, in: scratch)
  }

  @Test("what an ordinary user may not read is dropped aloud")
  func unreadable() async throws {
    let scratch = try Scratch()
    let root = try makeTree(scratch)
    try Tool.check("chmod", ["000", "\(root)/big", "\(root)/full"])
    let result = try await convert(
      .directory(path: root), smallOptions(), to: scratch.file("disk"))
    let isRoot = try Tool.check("id", ["-u"]) == "0\n"
    #expect(result.report.dropped.map(\.path) == (isRoot ? [] : ["full", "big"]))
    try Tool.check("chmod", ["700", "\(root)/full"])
  }

  @Test("excludes and the running system's directories stay behind")
  func excludes() async throws {
    let scratch = try Scratch()
    let root = try makeDebian(in: scratch)
    var options = smallOptions()
    options.exclude = ["/usr/sbin", "*-key", "ssh_host*"]
    let disk = scratch.file("disk")
    let result = try await convert(.directory(path: root), options, to: disk)
    #expect(
      result.report.excluded.map(\.path) == ["etc/ssh/ssh_host_ed25519_key", "proc", "usr/sbin"])
    let partition = try checkedPartition(of: disk, in: scratch)
    #expect(try debugfs(partition, "stat /usr/sbin").contains("File not found"))
    #expect(try debugfs(partition, "stat /proc/1").contains("File not found"))
    #expect(try debugfs(partition, "stat /proc").contains("Type: directory"))
  }
}
