/// The superblock's fields, checked against the format and the volume's size.
///
/// Format: the kernel's Documentation/filesystems/ext4/super.rst.
struct Superblock: Sendable {
  static let offset = 1024
  static let size = 1024

  let blockSize: Int
  let blockCount: UInt64
  let inodeCount: UInt32
  let firstDataBlock: UInt64
  let blocksPerGroup: UInt64
  let inodesPerGroup: UInt32
  let inodeSize: Int
  let descriptorSize: Int
  let firstMetaGroup: UInt64
  let reservedDescriptorBlocks: UInt64
  let journalInode: UInt32
  let backupGroups: [UInt32]
  let compatible: UInt32
  let incompatible: UInt32
  let readOnlyCompatible: UInt32
  let uuid: [UInt8]
  let label: [UInt8]
  /// The seed of all checksums but this block's.
  let seed: UInt32

  /// Reads the fields and refuses what contradicts itself.
  init(_ bytes: [UInt8], volumeSize: Int) throws {
    guard bytes.little16(0x38) == 0xef53 else {
      throw Ext4ReadError(.notExt4, "there is no ext4 superblock")
    }
    let isDynamic = bytes.little32(0x4c) > 0
    compatible = isDynamic ? bytes.little32(0x5c) : 0
    incompatible = isDynamic ? bytes.little32(0x60) : 0
    readOnlyCompatible = isDynamic ? bytes.little32(0x64) : 0
    let is64Bit = incompatible & Feature.bits64 != 0
    let log = bytes.little32(0x18)
    guard log <= 6 else { throw Ext4ReadError("the block size of 2^(10+\(log)) is too large") }
    blockSize = 1024 << Int(log)
    blockCount = is64Bit ? bytes.little64(low: 0x04, high: 0x150) : UInt64(bytes.little32(0x04))
    inodeCount = bytes.little32(0x00)
    firstDataBlock = UInt64(bytes.little32(0x14))
    blocksPerGroup = UInt64(bytes.little32(0x20))
    inodesPerGroup = bytes.little32(0x28)
    inodeSize = isDynamic ? Int(bytes.little16(0x58)) : 128
    descriptorSize = is64Bit ? Int(bytes.little16(0xfe)) : 32
    firstMetaGroup = UInt64(bytes.little32(0x104))
    reservedDescriptorBlocks = UInt64(bytes.little16(0xce))
    journalInode = bytes.little32(0xe0)
    backupGroups = [bytes.little32(0x24c), bytes.little32(0x250)]
    uuid = Array(bytes[0x68..<0x78])
    label = Array(bytes[0x78..<0x88].prefix { $0 != 0 })
    seed =
      incompatible & Feature.checksumSeed != 0
      ? bytes.little32(0x270) : checksum(UInt32.max, uuid[...])
    try Self.checkFeatures(incompatible, readOnlyCompatible)
    if readOnlyCompatible & Feature.metadataChecksums != 0 {
      guard bytes[0x175] == 1 else {
        throw Ext4ReadError(.unsupported, "the checksum type is \(bytes[0x175]), and 1 is known")
      }
      let computed = checksum(UInt32.max, bytes[..<0x3fc])
      try check(bytes.little32(0x3fc), computed, "the superblock's checksum")
    }
    guard bytes.little32(0x1c) == log else {
      throw Ext4ReadError(.unsupported, "clusters of 2^(10+\(bytes.little32(0x1c))) are not known")
    }
    try checkNumbers(volumeSize)
  }

  private static func checkFeatures(_ incompatible: UInt32, _ readOnly: UInt32) throws {
    if incompatible & Feature.recover != 0 {
      throw Ext4ReadError(
        .unsupported, "it was not unmounted, and its journal has to be replayed first")
    }
    let unknown = incompatible & ~Feature.known
    guard unknown == 0 else {
      throw Ext4ReadError(.unsupported, "it needs unknown features, bits \(hexadecimal(unknown))")
    }
    guard readOnly & Feature.bigalloc == 0 else {
      throw Ext4ReadError(.unsupported, "it allocates in clusters (feature bigalloc)")
    }
  }

  private func checkNumbers(_ volumeSize: Int) throws {
    let (size, overflow) = blockCount.multipliedReportingOverflow(by: UInt64(blockSize))
    guard !overflow, size <= UInt64(volumeSize) else {
      throw Ext4ReadError(
        "it has \(blockCount) blocks of \(blockSize) bytes, and the volume has \(volumeSize) bytes")
    }
    guard firstDataBlock == (blockSize == 1024 ? 1 : 0), blockCount > firstDataBlock else {
      throw Ext4ReadError("the first block of the first group is \(firstDataBlock)")
    }
    guard (256...UInt64(blockSize * 8)).contains(blocksPerGroup), blocksPerGroup % 8 == 0 else {
      throw Ext4ReadError("a group has \(blocksPerGroup) blocks")
    }
    guard [128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536].contains(inodeSize),
      inodeSize <= blockSize
    else { throw Ext4ReadError("an inode has \(inodeSize) bytes") }
    guard (1...UInt32(blockSize * 8)).contains(inodesPerGroup),
      groupCount.multipliedReportingOverflow(by: UInt64(inodesPerGroup)) == (
        UInt64(inodeCount), false
      )
    else {
      throw Ext4ReadError(
        "\(inodeCount) inodes are not \(inodesPerGroup) for each of \(groupCount) groups")
    }
    guard [32, 64, 128, 256, 512, 1024].contains(descriptorSize), descriptorSize <= blockSize,
      incompatible & Feature.bits64 == 0 || descriptorSize >= 64
    else { throw Ext4ReadError("a group's descriptor has \(descriptorSize) bytes") }
  }

  var groupCount: UInt64 {
    let blocks = blockCount - firstDataBlock
    return blocks / blocksPerGroup + (blocks % blocksPerGroup == 0 ? 0 : 1)
  }

  var hasChecksums: Bool { readOnlyCompatible & Feature.metadataChecksums != 0 }

  /// Whether a group begins with a copy of the superblock.
  func hasSuperblock(_ group: UInt64) -> Bool {
    if group == 0 { return true }
    if compatible & Feature.sparseSuper2 != 0 {
      return backupGroups.contains { UInt64($0) == group }
    }
    if readOnlyCompatible & Feature.sparseSuper == 0 || group == 1 { return true }
    return [UInt64(3), 5, 7].contains { base in
      var power = base
      while power < group { power *= base }
      return power == group
    }
  }

  /// Bits of s_feature_*; names as in the kernel's fs/ext4/ext4.h.
  enum Feature {
    static let sparseSuper2: UInt32 = 0x200
    static let fileType: UInt32 = 0x2
    static let recover: UInt32 = 0x4
    static let metaGroups: UInt32 = 0x10
    static let bits64: UInt32 = 0x80
    static let checksumSeed: UInt32 = 0x2000
    static let largeDirectories: UInt32 = 0x4000
    /// filetype, meta_bg, extents, 64bit, mmp, flex_bg, metadata_csum_seed, large_dir.
    static let known: UInt32 = 0x2 | 0x10 | 0x40 | 0x80 | 0x100 | 0x200 | 0x2000 | 0x4000
    static let sparseSuper: UInt32 = 0x1
    static let hugeFile: UInt32 = 0x8
    static let groupChecksums: UInt32 = 0x10
    static let directoryLinks: UInt32 = 0x20
    static let bigalloc: UInt32 = 0x200
    static let metadataChecksums: UInt32 = 0x400
  }
}

/// Compares a checksum with what it should be.
func check(
  _ stored: some BinaryInteger, _ computed: some BinaryInteger, _ what: String,
  inode: UInt32? = nil, block: UInt64? = nil
) throws {
  guard UInt64(stored) == UInt64(computed) else {
    throw Ext4ReadError(
      inode: inode, block: block,
      "\(what) is \(hexadecimal(stored)) and should be \(hexadecimal(computed))")
  }
}
