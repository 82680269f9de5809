/// Constants of VMware's hosted sparse extents (VMware, Virtual Disk Format 5.0), in sectors of
/// 512 bytes where not said otherwise.
enum VMDKFormat {
  static let magic: UInt32 = 0x564d_444b
  static let sector = 512
  /// Entries of a grain table.
  static let tableCount = 512
  /// Says in place of the directory's offset that the footer has it.
  static let directoryAtEnd = UInt64.max

  static let detectsNewlines: UInt32 = 1 << 0
  static let zeroGrains: UInt32 = 1 << 2
  static let compressed: UInt32 = 1 << 16
  static let markers: UInt32 = 1 << 17

  enum Marker: UInt32 {
    case endOfStream = 0
    case grainTable = 1
    case grainDirectory = 2
    case footer = 3
  }
}

/// The header of a streamOptimized disk, and its footer.
struct VMDKStreamHeader {
  let capacity: Int
  /// In sectors; nil in the header, which says that it is in the footer.
  let directoryOffset: Int?
  let overhead: Int
  let descriptorSize: Int

  var bytes: [UInt8] {
    var header = ByteBuilder()
    header.little(VMDKFormat.magic)
    header.little(UInt32(3))
    header.little(VMDKFormat.detectsNewlines | VMDKFormat.compressed | VMDKFormat.markers)
    header.little(UInt64(capacity))
    header.little(UInt64(clusterSize / VMDKFormat.sector))
    header.little(UInt64(1))
    header.little(UInt64(descriptorSize))
    header.little(UInt32(VMDKFormat.tableCount))
    header.little(UInt64(0))  // no second directory
    header.little(directoryOffset.map(UInt64.init) ?? VMDKFormat.directoryAtEnd)
    header.little(UInt64(overhead))
    header.little(UInt8(0))  // closed as it should be
    // What a transfer as text would spoil.
    header.append([0x0a, 0x20, 0x0d, 0x0a])
    header.little(UInt16(1))  // deflate
    header.pad(to: VMDKFormat.sector)
    return header.bytes
  }
}
