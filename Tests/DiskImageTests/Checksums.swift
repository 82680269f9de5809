import DiskImage

/// The checksums of image formats, put right in damaged or patched images.
enum Checksums {
  static func repaired(_ bytes: [UInt8], _ format: DiskFormat) -> [UInt8] {
    var bytes = bytes
    switch format {
    case .vhd, .vhdFixed:
      sum(&bytes, from: bytes.count - 512, count: 512, field: 64)
      if format == .vhd { sum(&bytes, from: 512, count: 1024, field: 36) }
    case .vhdx:
      for offset in [64 << 10, 128 << 10] { castagnoli(&bytes, from: offset, count: 4096) }
      for offset in [192 << 10, 256 << 10] { castagnoli(&bytes, from: offset, count: 65536) }
    default: break
    }
    return bytes
  }

  /// Those of a GUID partition table whose entries stand in sectors 2 to 33.
  static func repairPartitionTable(_ disk: inout [UInt8]) {
    put(cyclic(disk[1024..<1024 + 128 * 128], 0xedb8_8320), at: 512 + 88, in: &disk)
    put(0, at: 512 + 16, in: &disk)
    put(cyclic(disk[512..<512 + 92], 0xedb8_8320), at: 512 + 16, in: &disk)
  }

  private static func cyclic(_ bytes: ArraySlice<UInt8>, _ polynomial: UInt32) -> UInt32 {
    ~bytes.reduce(UInt32.max) { value, byte in
      (0..<8).reduce(value ^ UInt32(byte)) { value, _ in
        value >> 1 ^ (value & 1 == 1 ? polynomial : 0)
      }
    }
  }

  private static func put(_ value: UInt32, at place: Int, in bytes: inout [UInt8]) {
    for index in 0..<4 {
      bytes[place + index] = UInt8(truncatingIfNeeded: value >> (8 * UInt32(index)))
    }
  }

  /// The ones' complement of the sum of all bytes, big-endian (VHD).
  private static func sum(_ bytes: inout [UInt8], from start: Int, count: Int, field: Int) {
    guard start >= 0, start + count <= bytes.count else { return }
    for index in 0..<4 { bytes[start + field + index] = 0 }
    let value = ~bytes[start..<start + count].reduce(UInt32(0)) { $0 &+ UInt32($1) }
    for index in 0..<4 {
      bytes[start + field + index] = UInt8(truncatingIfNeeded: value >> (24 - 8 * UInt32(index)))
    }
  }

  /// CRC-32C, little-endian at byte 4 (VHDX).
  private static func castagnoli(_ bytes: inout [UInt8], from start: Int, count: Int) {
    guard start + count <= bytes.count else { return }
    for index in 4..<8 { bytes[start + index] = 0 }
    let value = bytes.withUnsafeBufferPointer { bytes in
      var value = UInt32.max
      for index in start..<start + count {
        value = value >> 8 ^ table[Int((value ^ UInt32(bytes[index])) & 0xff)]
      }
      return ~value
    }
    for index in 0..<4 {
      bytes[start + 4 + index] = UInt8(truncatingIfNeeded: value >> (8 * UInt32(index)))
    }
  }

  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in value >> 1 ^ (value & 1 == 1 ? 0x82f6_3b78 : 0) }
  }
}
