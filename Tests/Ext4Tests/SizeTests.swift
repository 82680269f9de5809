import Ext4
import FileTree
import Testing

@Suite struct SizeTests {
  @Test("the same tree and options give the same bytes")
  func reproducible() throws {
    func image() throws -> Image {
      try makeImage { tree, writer in
        for number in 0..<400 {
          try tree.addFile(
            "f\(number)", pattern(number * 10, seed: number), writer,
            FileAttributes(
              permissions: 0o600, extended: [.init("user.n", pattern(100, seed: number % 3))]))
        }
      }
    }
    let first = try image()
    let second = try image()
    #expect(first.summary == second.summary)
    #expect(try first.file.contents() == second.file.contents())
  }

  @Test(
    "a size given is kept, less a last group too small to use",
    arguments: [32, 64, 127, 128, 129, 130, 132, 256, 258, 384, 400, 1000, 9000, 100_000])
  func exact(mebibytes: UInt64) throws {
    var options = try makeOptions()
    options.size = .exactly(mebibytes << 20)
    let image = try makeImage(options) { tree, writer in
      try tree.addFile("f", pattern(100_000), writer)
    }
    try image.expectClean()
    #expect(UInt64(image.summary.size) <= mebibytes << 20)
    #expect(UInt64(image.summary.size) >= (mebibytes << 20) - (4 << 20))
  }

  @Test("free space asked for moves the size over group boundaries", arguments: 0..<12)
  func fitting(step: Int) throws {
    var options = try makeOptions()
    options.size = .fitting(free: UInt64(100 << 20) + UInt64(step * 3 << 20))
    let image = try makeImage(options) { tree, writer in
      try tree.addFile("f", pattern(100_000), writer)
    }
    try image.expectClean()
    #expect(image.summary.freeSize >= (100 + step * 3) << 20)
  }

  @Test("a size too small is refused with what would be enough")
  func tooSmall() throws {
    func image(_ size: UInt64) throws -> Image {
      var options = try makeOptions()
      options.size = .exactly(size)
      return try makeImage(options) { tree, writer in
        for number in 0..<20 { try tree.addFile("f\(number)", pattern(1 << 20), writer) }
      }
    }
    for size: UInt64 in [0, 1, 5 << 20, 20 << 20, 25 << 20] {
      let error = #expect(throws: Ext4Error.self) { try image(size) }
      guard case .tooSmall(let needed, size) = error?.reason else {
        Issue.record("\(String(describing: error))")
        continue
      }
      #expect(needed > size)
      try image(needed).expectClean()
    }
  }

  @Test("resize2fs grows it tenfold and it stays clean", arguments: [0, 200, 1100])
  func grows(mebibytes: Int) throws {
    var options = try makeOptions()
    options.size = .fitting(free: UInt64(mebibytes) << 20)
    let image = try makeImage(options) { tree, writer in
      try tree.addFile("f", pattern(1_000_000), writer)
      let directory = try tree.add("d", .directory)
      for number in 0..<1000 { try tree.add("\(number)", to: directory, .regular(.empty)) }
    }
    try image.expectClean()
    let grown = image.summary.size * 10
    try image.file.resize(grown)
    let result = try run("resize2fs", [image.path])
    #expect(result.status == 0, "\(result.text)")
    #expect(result.text.contains("\(grown / 4096) (4k) blocks"), "\(result.text)")
    try image.expectClean()
    #expect(try image.bytes("f") == pattern(1_000_000))
  }

  @Test("every copy of the superblock is good enough to start from", arguments: [1, 3, 5, 7, 9])
  func backups(group: Int) throws {
    var options = try makeOptions()
    options.size = .exactly(1300 << 20)
    let image = try makeImage(options) { tree, writer in
      try tree.addFile("f", pattern(1000), writer)
    }
    // Reading a copy, e2fsck trusts no unwritten bitmap and writes them anew: 1 is "corrected".
    let result = try run(
      "e2fsck", ["-fy", "-b", "\(group * 32768)", "-B", "4096", image.path])
    #expect(result.status == 1, "\(result.text)")
    try image.expectClean()
    #expect(try image.bytes("f") == pattern(1000))
    #expect(image.summary.usedInodeCount == 12)
  }

  @Test("label, UUID and features are as asked")
  func superblock() throws {
    var options = try makeOptions()
    options.label = Array("sixteen-bytes-ok".utf8)
    let image = try makeImage(options) { _, _ in }
    let said = try run("dumpe2fs", ["-h", image.path]).text
    for part in [
      "sixteen-bytes-ok", options.uuid.description, "half_md4", "user_xattr acl",
      "Filesystem state:         clean", "Total journal size:       8M",
      "has_journal ext_attr resize_inode dir_index filetype extent 64bit flex_bg sparse_super "
        + "large_file huge_file dir_nlink extra_isize metadata_csum",
    ] { #expect(said.contains(part), "\(part) in \(said)") }
    options.label.append(1)
    #expect(throws: Ext4Error([], .labelTooLong(17))) { try makeImage(options) { _, _ in } }
  }

  @Test(
    "content beyond the room for growth is refused with the way on",
    arguments: [Ext4Size.fitting(free: 9 << 30), .fitting(free: .max), .exactly(.max)])
  func beyondMaximum(size: Ext4Size) throws {
    var options = try makeOptions()
    options.maximumSize = 1
    options.size = size
    let error = #expect(throws: Ext4Error.self) { try makeImage(options) { _, _ in } }
    guard case .beyondMaximum = error?.reason else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test("what the sink throws comes through, wherever it is thrown", arguments: [0, 1, 3, 6])
  func failingSink(writes: Int) throws {
    struct Full: Error {}
    final class Sink: BlockSink {
      var left: Int
      init(_ writes: Int) { left = writes }
      func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
        if left == 0 { throw Full() }
        left -= 1
      }
    }
    #expect(throws: Full.self) {
      let writer = try Ext4Writer(makeOptions(), sink: Sink(writes))
      var tree = FileTree()
      for number in 0..<3 { try tree.addFile("f\(number)", pattern(1 << 20), writer) }
      _ = try writer.finish(tree)
    }
  }

  @Test("calls out of order are refused")
  func misuse() throws {
    let writer = try Ext4Writer(makeOptions(), sink: SparseFile())
    #expect(throws: Ext4Error.self) { try writer.append([1]) }
    #expect(throws: Ext4Error.self) { try writer.appendHole(1) }
    #expect(throws: Ext4Error.self) { try writer.endFile() }
    try writer.beginFile([0x61])
    #expect(throws: Ext4Error.self) { try writer.beginFile([0x62]) }
    #expect(throws: Ext4Error.self) { try writer.finish(FileTree()) }
    _ = try writer.endFile()
    _ = try writer.finish(FileTree())
    #expect(throws: Ext4Error.self) { try writer.finish(FileTree()) }
  }
}
