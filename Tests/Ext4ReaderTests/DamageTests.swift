import Ext4
import Ext4Reader
import FileTree
import SystemIO
import TestSupport
import Testing

@Suite struct DamageTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// A small file system of mke2fs with a bit of everything.
  private func makeImage(_ options: String = "-t ext4 -b 1024") throws -> String {
    let root = scratch.file("source")
    try makeDirectories("\(root)/d/e")
    try replaceFile("\(root)/d/one", with: pattern(50_000))
    try replaceFile("\(root)/d/two", with: pattern(3000))
    for number in 0..<80 { try replaceFile("\(root)/d/e/some name \(number)", with: []) }
    let image = scratch.file("image")
    let words = options.split(separator: " ").map(String.init)
    try Tool.check("mke2fs", ["-q", "-d", root] + words + [image, "1M"])
    return image
  }

  @Test(
    "what can't be right is refused with inode, block or value",
    arguments: [
      ("ln /d /again", "has a second name"), ("sif /d/two size 0x7fffffffffffffff", "its size"),
      ("sif /d/two block[0] 999999", "999999"), ("sif /d/two block[0] 1", "the file system itself"),
      ("sif /d/two mode 0170644", "is of type 1"), ("sif /d/two links_count 2", "link count of 2"),
      ("sif /d links_count 9", "link count of 9"), ("sif /d/two blocks 200", "200 sectors"),
      ("clri /d/two", "link count of 0"), ("sif /d size 1500", "a directory of 1500 bytes"),
      ("sif /d size 0", "a directory of 0 bytes"),
      ("sif /d/two file_acl 70", "6 sectors and has 8"),
      ("ssv feature_incompat 0x10002", "unknown features, bits 0x10000"),
      ("ssv feature_incompat 0x6", "journal"), ("ssv blocks_count 5000", "5000 blocks"),
      ("ssv inodes_per_group 12345", "12345"), ("ssv log_block_size 9", "2^(10+9)"),
      ("ssv inode_size 100", "100 bytes"), ("ssv blocks_per_group 0", "0 blocks"),
      ("set_bg 0 inode_table 99999", "99999"), ("freei /d/two", "free in group 0's bitmap"),
      ("sif /d/two flags 0x10000000", "its flags"),
    ])
  func refusals(request: String, expected: String) throws {
    let image = try makeImage("-t ext2 -b 1024")
    try change(image, request)
    let error = #expect(throws: Ext4ReadError.self) { try read(image) }
    #expect(error?.description.contains(expected) == true, "\(error?.description ?? "")")
  }

  @Test("two files in one block, and a block in use that counts as free, are found")
  func overlap() throws {
    let image = try makeImage("-t ext2 -b 1024")
    let block = try Tool.check("debugfs", ["-R", "bmap /d/one 5", image])
      .split(separator: "\n").last.map(String.init)
    let number = try #require(block)
    try change(image, "sif /d/two block[1] \(number)")
    let error = #expect(throws: Ext4ReadError.self) { try read(image) }
    #expect(error?.description.contains("belongs to inode") == true)
    try change(image, "clri /d/two", "unlink /d/two", "freeb \(number)")
    let other = #expect(throws: Ext4ReadError.self) { try read(image) }
    #expect(other?.description.contains("\(number): the block is in use but free") == true)
  }

  @Test("any flipped bit of the metadata is found by a checksum")
  func checksums() throws {
    let scratch = scratch
    let image = try writeImage(scratch) { tree, _ in
      let set = [ExtendedAttribute("user.x", pattern(200))]
      for number in 0..<300 {
        try tree.add(
          Array("a name of more than a few bytes \(number)".utf8), to: FileTree.root,
          .regular(.bytes([1])), FileAttributes(permissions: 0, extended: set))
      }
    }
    let clean = try readFile(image.path)
    _ = try Ext4Volume(MemoryVolume(bytes: clean)).readTree()
    let root = try Tool.check("debugfs", ["-R", "bmap / 1", image.path])
    let block = try #require(Int(root.split(separator: "\n").last.map(String.init) ?? ""))
    let table = try #require(
      try Tool.check("dumpe2fs", [image.path]).firstMatch(of: /Inode table at (\d+)/)?.1)
    let places = [
      1024 + 0x6a, 4096 + 0x10, block * 4096 + 40, (Int(table) ?? 0) * 4096 + 256 + 9,
      (Int(table) ?? 0) * 4096 + 256 * 13 + 0x40,
    ]
    for place in places {
      var bytes = clean
      bytes[place] ^= 4
      let error = #expect(throws: Ext4ReadError.self, "byte \(place)") {
        try Ext4Volume(MemoryVolume(bytes: bytes)).readTree()
      }
      #expect(error?.description.contains("checksum") == true, "\(error?.description ?? "")")
    }
  }

  @Test(
    "seeded damage gives an error or data, and an end",
    arguments: ["-t ext2 -b 1024", "-t ext4 -b 1024 -O ^metadata_csum,^has_journal"])
  func seeded(options: String) throws {
    let clean = try readFile(try makeImage(options))
    var generator = SeededGenerator(seed: 4242)
    var refused = 0
    for _ in 0..<150 {
      var bytes = clean
      for _ in 0..<Int.random(in: 1...8, using: &generator) {
        // Metadata stand in the first half.
        let place = Int.random(in: 1024..<400_000, using: &generator)
        bytes[place] = UInt8.random(in: 0...255, using: &generator)
      }
      if generator.oneIn(5) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator)) }
      do {
        let volume = try Ext4Volume(MemoryVolume(bytes: bytes)).readTree()
        for step in volume.tree.walk() {
          if case .regular(.reference(let number, let size)) = volume.tree.kind(of: step.node),
            size < 1 << 20
          {
            _ = try Ext4ReaderTests.bytes(number, in: volume)
          }
        }
      } catch is Ext4ReadError {
        refused += 1
      }
    }
    #expect(refused > 10)
  }

  @Test("limits are kept")
  func limits() throws {
    let image = try makeImage()
    var few = Ext4ReadLimits()
    few.names = 50
    let error = #expect(throws: Ext4ReadError.self) {
      try Ext4Volume(FileVolume(image), limits: few).readTree()
    }
    #expect(error?.kind == .limit)
    for size in [0, 1024, 2047, 4096] {
      let bytes = [UInt8](repeating: 0, count: size)
      #expect(throws: Ext4ReadError.self) { try Ext4Volume(MemoryVolume(bytes: bytes)) }
    }
  }
}
