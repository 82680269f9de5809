import DiskImage
import FileTree
import Resources
import SystemIO
import TestSupport
import Testing

@testable import Conversion

@Suite struct VerificationTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// A tree with links, a sparse file, attributes and a name that no text holds.
  private func makeTree() throws -> String {
    let root = scratch.file("tree")
    try makeDirectories("\(root)/d/e")
    try replaceFile("\(root)/d/file", with: Array("some content\n".utf8), permissions: 0o640)
    try replaceFile("\(root)/d/large", with: [UInt8](repeating: 7, count: 3_000_000))
    try replaceFile("\(root)/d/e/inner", with: Array("on its own partition\n".utf8))
    try Tool.check("ln", ["\(root)/d/file", "\(root)/hard"])
    try Tool.check("ln", ["-s", "d/file", "\(root)/soft link"])
    try Tool.check("mkfifo", ["\(root)/d/e/fifo"])
    try Tool.check("truncate", ["-s", "5M", "\(root)/sparse"])
    try Tool.check("setfattr", ["-n", "user.note", "-v", "x", "\(root)/d/file"])
    try Tool.check("sh", ["-c", "printf x > \"$1/$(printf '\\377')\"", "sh", root])
    try Tool.check("touch", ["-h", "-d", "2001-02-03 04:05:06.000000789", "\(root)/soft link"])
    return root
  }

  @Test("a manifest names everything with its SHA-256, on whatever partition it is")
  func manifest() async throws {
    let root = try makeTree()
    var options = smallOptions(.migrate)
    options.manifest = scratch.file("manifest")
    options.partitions = [PartitionRequest("/d/e", size: 32 << 20)]
    _ = try await convert(.directory(path: root), options, to: scratch.file("disk"))
    let text = String(decoding: try readFile(scratch.file("manifest")), as: UTF8.self)
    let lines = text.split(separator: "\n").map(String.init)
    #expect(lines.first == "#mtree v2.0")
    func line(_ name: String) throws -> String {
      try #require(lines.first { $0.hasPrefix("./\(name) ") }, "\(name)")
    }
    for name in ["d/file", "d/large", "sparse", "d/e/inner"] {
      let digest = try Tool.check("sha256sum", ["\(root)/\(name)"]).prefix(64)
      #expect(try line(name).contains(" sha256=\(digest)"))
    }
    #expect(try line("d/file").contains("type=file mode=0640"))
    #expect(try line("d/file").contains(" size=13 "))
    #expect(try line("d/file").contains(" nlink=2 inode=1 xattrs="))
    #expect(try line("hard").contains(" nlink=2 inode=1 xattrs="))
    #expect(try line("soft\\040link").contains("time=981173106.000000789 link=d/file"))
    #expect(try line("\\377").contains("type=file"))
    #expect(try line("d/e/fifo").contains("type=fifo"))
  }

  @Test("the list is the same for the directory and for its archive")
  func reproducible() async throws {
    let root = try makeTree()
    let tar = scratch.file("tree.tar")
    try Tool.check(
      "tar", ["-C", root, "--format=pax", "--xattrs", "--sparse", "--sort=name", "-cf", tar, "."])
    for source in [ConversionSource.directory(path: root), .archive(path: tar)] {
      var options = smallOptions(.migrate)
      options.sourceDateEpoch = 1_900_000_000
      let isTar = source == .archive(path: tar)
      options.manifest = scratch.file(isTar ? "b" : "a")
      options.verifies = true
      let result = try await convert(source, options, to: scratch.file("disk"))
      #expect(result.report.image.isVerified)
    }
    #expect(try readFile(scratch.file("a")) == readFile(scratch.file("b")))
  }

  @Test(
    "what was written reads back, from every format and partition",
    arguments: [DiskFormat.raw, .qcow2, .vmdk, .vhd, .vhdFixed, .vhdx, .ova])
  func verified(format: DiskFormat) async throws {
    var options = smallOptions(.template, format)
    options.verifies = true
    options.partitions = [PartitionRequest("/boot"), PartitionRequest("swap", size: 16 << 20)]
    let root = try makeDebian(in: scratch)
    let result = try await convert(.directory(path: root), options, to: scratch.file("disk"))
    #expect(result.report.image.isVerified)
    #expect(result.report.phases.map(\.name).contains("verify"))
  }

  @Test("one changed byte of content, metadata or table leaves no image and is named")
  func differences() async throws {
    let root = try makeTree()
    let disk = scratch.file("disk")
    var options = smallOptions()
    options.verifies = true
    let cases: [(find: [UInt8], expected: String)] = [
      (Array("some content\n".utf8), "/d/file: its content's SHA-256 is"),
      ([0x53, 0xef], "superblock's checksum"), (Array("EFI PART".utf8), "/partition table: byte"),
    ]
    for (find, expected) in cases {
      var converter = Converter(options, host: .live())
      converter.afterWriting = { path in
        let file = try Descriptor.open(path, .readWrite)
        let place = try #require(try Self.place(of: find, in: file))
        try [find[0] ^ 1].withUnsafeBytes { try file.write($0, at: place) }
      }
      let error = await #expect(throws: ImageMismatch.self) {
        try await converter.convert(.directory(path: root), to: disk)
      }
      // A damaged magic is no file system at all.
      let text = error.map { "\($0)" } ?? ""
      #expect(text.contains(expected) || text.contains("no ext4 superblock"), "\(text)")
      #expect(!fileExists(disk) && !fileExists(disk + ".partial"))
    }
  }

  private static func place(of bytes: [UInt8], in file: Descriptor) throws -> Int? {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    defer { buffer.deallocate() }
    var position = 0
    while try file.read(into: buffer, at: position) > 0 {
      for start in 0..<buffer.count - bytes.count
      where buffer[start] == bytes[0] && buffer[start..<start + bytes.count].elementsEqual(bytes) {
        return position + start
      }
      position += buffer.count
    }
    return nil
  }

  /// Found by the fuzzer: the image was right and differed from what was taken for meant.
  @Test("ids of ACL entries that have none don't count")
  func accessControlLists() {
    func list(_ id: UInt8) -> [UInt8] {
      [2, 0, 0, 0, 1, 0, 6, 0, id, id, id, id, 2, 0, 6, 0, 7, 0, 0, 0, 4, 0, 4, 0, id, id, id, id]
    }
    let name = Array("system.posix_acl_access".utf8)
    let policy = AttributePolicy(keepsBirth: false, latest: nil)
    let attributes = policy.attributes(
      permissions: 0o644, uid: 0, gid: 0, modified: Timestamp(seconds: 0, nanoseconds: 0),
      created: nil, flags: 0, extended: [(name: name, value: list(8))])
    #expect(attributes.extended == [ExtendedAttribute(name: name, value: list(255))])
  }

  @Test("every kind of difference between two trees is told with both values")
  func comparison() throws {
    var digests = ContentDigests()
    digests.set([UInt8](repeating: 1, count: 32), for: 0)
    var meant = FileTree()
    let plain = FileAttributes(permissions: 0o644)
    let content = FileKind.regular(.reference(0, size: 5))
    for name in ["same", "gone", "mode", "kind", "size", "attribute"] {
      try meant.add(Array(name.utf8), to: FileTree.root, content, plain)
    }
    try meant.add([0x6c], to: FileTree.root, .symbolicLink([0x61]), plain)
    let one = try meant.add(Array("one".utf8), to: FileTree.root, content, plain)
    try meant.link(Array("two".utf8), in: FileTree.root, to: one)
    var found = FileTree()
    var other = plain
    for name in ["same", "more", "one", "two"] {
      try found.add(Array(name.utf8), to: FileTree.root, content, plain)
    }
    try found.add([0x6c], to: FileTree.root, .symbolicLink([0x62]), plain)
    try found.add(Array("kind".utf8), to: FileTree.root, .fifo, plain)
    try found.add(
      Array("size".utf8), to: FileTree.root, .regular(.reference(0, size: 6)), plain)
    other.permissions = 0o600
    try found.add(Array("mode".utf8), to: FileTree.root, content, other)
    other = plain
    other.extended = [ExtendedAttribute("user.x", [1])]
    try found.add(Array("attribute".utf8), to: FileTree.root, content, other)
    try found.add(
      Array("lost+found".utf8), to: FileTree.root, .directory, FileAttributes(permissions: 0o700))
    let comparison = TreeComparison(written: meant, digests, read: found)
    let told = comparison.differences.map { "\(printable($0.path)): \($0.what)" }.sorted()
    #expect(
      told == [
        "/more: it should not be there",
        "attribute: its attribute user.x should not be there", "gone: it is missing",
        "kind: it is a fifo and should be a \(content)",
        "l: it leads to 'b' and should lead to 'a'",
        "mode: its mode is 600 and should be 644",
        "one: its number of names is 1 and should be 2",
        "size: it has 6 bytes and should have 5", "two: it is not linked to its other names",
      ])
    #expect(comparison.contents.count == 4)
  }
}
