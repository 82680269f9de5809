/// The checksum over metadata while it is being computed; 0 in a file system that has none.
///
/// CRC-32C, begun with the file system's UUID (feature metadata_csum; e2fsprogs
/// lib/ext2fs/csum.c).
struct MetadataChecksum {
  private let state: UInt32?

  private init(state: UInt32?) { self.state = state }

  /// Of what has no checksum: 0.
  static let none = MetadataChecksum(state: nil)

  /// The start of every checksum but the superblock's.
  init(_ options: Ext4Options) {
    guard options.profile.hasMetadataChecksums else {
      state = nil
      return
    }
    state = options.uuid.bytes.withUnsafeBytes { CRC32C.update(UInt32.max, $0) }
  }

  /// Goes on over bytes.
  func over(_ bytes: UnsafeMutableRawBufferPointer) -> MetadataChecksum {
    MetadataChecksum(state: state.map { CRC32C.update($0, UnsafeRawBufferPointer(bytes)) })
  }

  /// Goes on over an integer's bytes, lowest first.
  func over(_ value: some FixedWidthInteger) -> MetadataChecksum {
    MetadataChecksum(state: state.map { CRC32C.update($0, value) })
  }

  /// What is stored.
  var value: UInt32 { state ?? 0 }
  /// What is stored where there are only 16 bits, and the low half elsewhere.
  var low: Int { Int(value & 0xffff) }
  /// The high half.
  var high: Int { Int(value >> 16) }
}
