import Ext4
import FileTree
import Testing

@Suite struct LargeTests {
  @Test("beyond 16 TiB block numbers are wide and the resize inode is left out, as mke2fs has it")
  func beyondSixteenTebibytes() throws {
    var options = try makeOptions()
    // A last group that is no whole one.
    let size: UInt64 = 17 << 40
    options.size = .exactly(size + 5_000_000)
    let image = try makeImage(options, in: SparseFile(inMemory: "ext4-large")) { tree, writer in
      try tree.addFile("f", pattern(10_000), writer)
      let directory = try tree.add("d", .directory)
      for number in 0..<1000 { try tree.add("\(number)", to: directory, .regular(.empty)) }
    }
    #expect(image.summary.size == 17 << 40)
    try image.expectClean()
    #expect(try image.bytes("f") == pattern(10_000))
    let said = try run("dumpe2fs", ["-h", image.path]).text
    for part in [
      "has_journal ext_attr dir_index filetype extent 64bit flex_bg", "journal size:       1024M",
      "Block count:              4563402752", "Inodes per group:         2048",
    ] { #expect(said.contains(part), "\(part) in \(said)") }
  }

  @Test("where no descriptors are kept for growth there is no resize inode")
  func noRoomToGrow() throws {
    var options = try makeOptions()
    options.maximumSize = 1
    let image = try makeImage(options) { _, _ in }
    try image.expectClean()
    let said = try run("dumpe2fs", ["-h", image.path]).text
    #expect(said.contains("ext_attr dir_index") && !said.contains("Reserved GDT"), "\(said)")
  }

  /// Sizes around group boundaries and the steps of the journal, in KiB.
  @Test(
    "size, journal and room to grow are what mke2fs chooses",
    arguments: [
      70_000 as UInt64, 131_072, 131_772, 136_072, 265_144, 271_144, 1_048_572,
      1_048_576, 2_097_152, 3_000_000, 16_777_216, 33_554_432, 67_108_864, 134_217_728,
    ])
  func asMake2fs(kibibytes: UInt64) throws {
    let file = SparseFile(inMemory: "mke2fs")
    var options = try makeOptions()
    options.size = .exactly(kibibytes << 10)
    let image = try makeImage(options) { _, _ in }
    try image.expectClean()
    let growth = max(options.maximumSize, kibibytes << 10 * 10) / 4096
    let inodes = image.summary.inodeCount
    try file.resize(Int(kibibytes << 10))
    // The one size that is not as mke2fs has it: of its own it takes half, too little to grow.
    let journal = kibibytes < 131_072 ? ["-J", "size=8"] : []
    let made = try run(
      "mke2fs",
      [
        "-q", "-F", "-b", "4096", "-t", "ext4", "-N", "\(inodes)", "-E", "resize=\(growth)",
      ] + journal + [file.path])
    #expect(made.status == 0, "\(made.text)")
    func facts(_ path: String) throws -> [Substring] {
      try run("dumpe2fs", ["-h", path]).text.split(separator: "\n").filter { line in
        ["Block count:", "Inode count:", "Reserved GDT", "Total journal blocks:", "Inodes per"]
          .contains { line.hasPrefix($0) }
      }
    }
    let (ours, theirs) = (try facts(image.path), try facts(file.path))
    #expect(ours == theirs)
  }
}
