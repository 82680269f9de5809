/// The set of features a file system is written with.
///
/// All have extents, indexed directories, flexible groups, a journal and 256-byte inodes. Features
/// that some boot loader or check program in use can't read (metadata_csum_seed, orphan_file,
/// inline_data, ea_inode, bigalloc) are in none.
public enum Ext4Profile: String, Hashable, Sendable, CaseIterable {
  /// What mke2fs gives since e2fsprogs 1.43 of 2016: metadata_csum and 64bit. For kernels from
  /// 3.18, e2fsprogs from 1.43 and GRUB from 2.02.
  case standard
  /// What mke2fs gave before: uninit_bg and 32-bit block numbers, 16 TiB less a block at most.
  /// For kernels from 2.6.28, e2fsprogs from 1.41 and GRUB from 1.97.
  case classic

  /// The profile that a guest's own tools know, told by its mke2fs.conf(5): `standard` where its
  /// `ext4` type lists both metadata_csum and 64bit, else `classic`.
  ///
  /// - Parameter configuration: the bytes of the guest's `/etc/mke2fs.conf`.
  public init(configuration: [UInt8]) {
    // features = a,b,c stands inside ext4 = { }; other types' braces come before and after it.
    let words = String(decoding: configuration, as: UTF8.self)
      .split(separator: "\n").filter { $0.first(where: { $0 != " " && $0 != "\t" }) != "#" }
      .joined(separator: "\n")
      .split { " \t\n=,".contains($0) }
    let type = words.drop { $0 != "ext4" }.prefix { $0 != "}" }
    self = type.contains("metadata_csum") && type.contains("64bit") ? .standard : .classic
  }

  /// Feature metadata_csum.
  var hasMetadataChecksums: Bool { self == .standard }

  /// Bytes of a group descriptor: 64 with feature 64bit.
  var descriptorSize: Int { self == .standard ? 64 : 32 }

  var descriptorsPerBlock: Int { Ext4.blockSize / descriptorSize }

  /// Blocks in the largest file system: 64 TiB, since all descriptors lie in the first group and
  /// must leave room for data there, or what 32 bits can number.
  var mostBlocks: Int { self == .standard ? 1 << 34 : 1 << 32 - 1 }

  /// s_feature_incompat: filetype, extents, flex_bg, and 64bit.
  var incompatibleFeatures: UInt32 { self == .standard ? 0x2c2 : 0x242 }

  /// s_feature_ro_compat: sparse_super, large_file, huge_file, dir_nlink, extra_isize, and
  /// metadata_csum or uninit_bg.
  var readOnlyFeatures: UInt32 { self == .standard ? 0x46b : 0x7b }
}
