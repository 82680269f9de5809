import Ext4Reader
import FileTree
import SystemIO
import TestSupport
import Testing

@Suite struct ForeignImageTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// Makes a source tree with a large directory, a sparse file, links and a long name.
  private func makeSource() throws -> String {
    let root = scratch.file("source")
    try makeDirectories("\(root)/many")
    try makeDirectories("\(root)/a/b/c")
    for number in 0..<300 {
      try replaceFile("\(root)/many/a name of some length \(number)", with: pattern(number % 7))
    }
    try replaceFile("\(root)/a/small", with: pattern(100), permissions: 0o640)
    try replaceFile("\(root)/a/large", with: pattern(900_000, seed: 2))
    try replaceFile("\(root)/a/b/" + String(repeating: "n", count: 240), with: [1])
    let sparse = try Descriptor.open("\(root)/sparse", [.readWrite, .create])
    try sparse.truncate(to: 3_000_000)
    try pattern(5000, seed: 3).withUnsafeBytes { try sparse.write($0, at: 1_500_000) }
    try Tool.check("ln", ["-s", "small", "\(root)/a/link"])
    try Tool.check("ln", ["-s", String(repeating: "t/", count: 80), "\(root)/a/long"])
    try Tool.check("ln", ["\(root)/a/small", "\(root)/hard"])
    try Tool.check("mkfifo", ["-m", "0604", "\(root)/a/fifo"])
    return root
  }

  /// Compares a volume with the directory it was made of.
  private func expectSame(_ volume: Ext4Tree, _ root: String) throws {
    let tree = volume.tree
    let listed = try Tool.check(
      "find", [root, "-mindepth", "1", "-printf", "%P|%y|%m|%U|%G|%s|%T@|%n|%l\n"])
    let lines = listed.split(separator: "\n")
    #expect(tree.entryCount == lines.count + 1)
    for line in lines {
      let field = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
      let node = try #require(tree.lookUp(field[0]), "\(field[0]) is missing")
      let found = tree[node]
      #expect(String(found.permissions, radix: 8) == field[2], "\(field[0])")
      #expect("\(found.uid) \(found.gid)" == "\(field[3]) \(field[4])")
      // mke2fs keeps no nanoseconds.
      #expect("\(found.modified.seconds)" == field[6].prefix { $0 != "." }, "\(field[0])")
      switch tree.kind(of: node) {
      case .directory: #expect(field[1] == "d")
      case .regular(let content):
        #expect(field[1] == "f" && "\(content.size)" == field[5])
        #expect("\(tree.linkCount(of: node))" == field[7])
        #expect(try contents(field[0], in: volume) == readFile("\(root)/\(field[0])"))
      case .symbolicLink(let target): #expect(Array(field[8].utf8) == target)
      case .fifo: #expect(field[1] == "p")
      default: Issue.record("\(field[0]) is \(tree.kind(of: node))")
      }
    }
  }

  @Test(
    "what mke2fs packs is read back, whatever the features",
    arguments: [
      "-t ext4", "-t ext4 -b 1024", "-t ext4 -b 2048 -I 512", "-t ext2 -b 1024", "-t ext3",
      "-t ext4 -O ^metadata_csum,uninit_bg", "-t ext4 -O ^64bit,^has_journal",
      "-t ext2 -b 1024 -I 128",
      "-t ext4 -b 1024 -g 1024 -O meta_bg,^resize_inode", "-t ext4 -O ^flex_bg,sparse_super2",
      "-t ext4 -O metadata_csum_seed,large_dir",
      "-t ext4 -O ^extents,^64bit", "-t ext2 -O ^filetype,^sparse_super,^resize_inode -b 1024",
    ])
  func features(options: String) throws {
    let root = try makeSource()
    let image = scratch.file("image")
    let words = options.split(separator: " ").map(String.init)
    try Tool.check("mke2fs", ["-q", "-d", root] + words + [image, "24M"])
    try expectSame(try read(image), root)
    // Directories get their indexes here; 1 says that something was changed.
    #expect(try Tool.run("e2fsck", ["-fyD", image]).status <= 1)
    try expectSame(try read(image), root)
  }

  @Test("attributes, ACLs and device numbers that debugfs sets are read")
  func attributes() throws {
    let image = scratch.file("image")
    let value = try scratch.write("value", pattern(2000))
    try Tool.check("mke2fs", ["-q", "-t", "ext4", "-b", "4096", image, "8M"])
    try change(
      image, "mkdir d", "ea_set d user.short abc", "ea_set -f \(value) d user.long",
      "mknod c c 240 1000", "mknod b b 8 1", "symlink s target", "write \(value) f",
      "sif f uid 3000000000", "sif f crtime 20010203040506")
    let volume = try read(image)
    let tree = volume.tree
    let directory = try #require(tree.lookUp("d"))
    #expect(
      tree[directory].extended == [
        .init("user.long", pattern(2000)), .init("user.short", Array("abc".utf8)),
      ])
    let kinds: [(String, FileKind)] = [
      ("c", .characterDevice(major: 240, minor: 1000)), ("b", .blockDevice(major: 8, minor: 1)),
      ("s", .symbolicLink(Array("target".utf8))),
    ]
    for (name, kind) in kinds { #expect(tree.kind(of: try #require(tree.lookUp(name))) == kind) }
    let file = tree[try #require(tree.lookUp("f"))]
    #expect(file.uid == 3_000_000_000 && file.created?.seconds == 981_173_106)
    #expect(try contents("f", in: volume) == pattern(2000))
  }

  @Test("blocks that are allocated but not written read as zeros")
  func unwritten() throws {
    let image = scratch.file("image")
    try Tool.check("mke2fs", ["-q", "-t", "ext4", image, "8M"])
    let value = try scratch.write("value", pattern(4096))
    try change(image, "write \(value) f", "fallocate f 1 5", "sif f size 24576")
    #expect(
      try contents("f", in: read(image)) == pattern(4096) + [UInt8](repeating: 0, count: 20480))
  }
}
