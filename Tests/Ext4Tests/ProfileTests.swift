import Ext4
import FileTree
import Testing

@Suite struct ProfileTests {
  /// A tree that meets every kind of metadata: index, deep extents, attribute blocks, long links.
  private func fill(_ tree: inout FileTree, _ writer: Ext4Writer) throws {
    let directory = try tree.add("d", .directory)
    for number in 0..<5000 { try tree.add("name-\(number)", to: directory, .regular(.empty)) }
    try writer.beginFile(Array("holes".utf8))
    for _ in 0..<2000 {
      try writer.append([1, 2])
      try writer.appendHole(8190)
    }
    try tree.add("holes", .regular(try writer.endFile()))
    let large = FileAttributes(
      permissions: 0o644, modified: FileTime(seconds: -5, nanoseconds: 7),
      extended: [.init("user.large", pattern(3000))])
    try tree.add("large", .regular(.bytes(pattern(5000))), large)
    try tree.add("long", .symbolicLink([UInt8](repeating: UInt8(ascii: "x"), count: 100)))
  }

  private func classic(_ size: Ext4Size) throws -> Ext4Options {
    var options = try makeOptions()
    options.profile = .classic
    options.size = size
    return options
  }

  @Test(
    "the classic profile has no feature that e2fsprogs 1.41 does not know",
    arguments: [Ext4Size.fitting(free: 0), .exactly(700 << 20)])
  func classicFeatures(size: Ext4Size) throws {
    let image = try makeImage(classic(size), fill)
    try image.expectClean()
    let said = try run("dumpe2fs", [image.path]).text
    #expect(
      said.contains(
        "has_journal ext_attr resize_inode dir_index filetype extent flex_bg sparse_super "
          + "large_file huge_file uninit_bg dir_nlink extra_isize\n"), "\(said)")
    #expect(!said.contains("Checksum:") && !said.contains("Group descriptor size"))
    #expect(said.contains("csum 0x"))
    #expect(try image.bytes("large") == pattern(5000))
    #expect(try image.debugfs("htree d").contains("Hash Version: 1"))
    #expect(try image.debugfs("ex holes").contains("2/ 2"))
  }

  @Test("a classic file system has directories that e2fsck can't make smaller, and grows")
  func classicLater() throws {
    let image = try makeImage(classic(.fitting(free: 100 << 20)), fill)
    try image.expectNothingToOptimize(["d"])
    let grown = image.summary.size * 10
    try image.file.resize(grown)
    let result = try run("resize2fs", [image.path])
    #expect(result.status == 0, "\(result.text)")
    try image.expectClean()
  }

  @Test("the classic profile ends where block numbers need more than 32 bits")
  func classicLimit() throws {
    let error = #expect(throws: Ext4Error.self) {
      try makeImage(classic(.exactly(16 << 40))) { _, _ in }
    }
    #expect(error?.reason == .beyondMaximum(needed: 16 << 40, maximum: 16 << 40 - 4096))
  }

  @Test(
    "a guest's mke2fs.conf tells its profile",
    arguments: [
      ("has_journal,extent,huge_file,flex_bg,metadata_csum,64bit,dir_nlink", Ext4Profile.standard),
      ("has_journal, extent, metadata_csum_seed, metadata_csum, 64bit, orphan_file", .standard),
      ("has_journal,extent,huge_file,flex_bg,uninit_bg,dir_nlink,extra_isize,64bit", .classic),
      ("has_journal,extent,huge_file,flex_bg,uninit_bg,dir_nlink,extra_isize", .classic),
    ])
  func configuration(features: String, profile: Ext4Profile) {
    let text = """
      [defaults]
      \tbase_features = sparse_super,filetype,resize_inode,dir_index,ext_attr
      \t# ext4 = { features = metadata_csum,64bit }
      [fs_types]
      \text3 = {
      \t\tfeatures = has_journal
      \t}
      \text4 = {
      \t\tfeatures = \(features)
      \t\tinode_size = 256
      \t}
      \tsmall = { features = metadata_csum,64bit }
      """
    #expect(Ext4Profile(configuration: Array(text.utf8)) == profile)
  }
}
