/// Constants of the VHDX format (MS-VHDX).
enum VHDXFormat {
  static let unit = 1 << 20
  static let headerOffsets = [64 << 10, 128 << 10]
  static let headerSize = 4 << 10
  static let regionTableOffsets = [192 << 10, 256 << 10]
  static let regionTableSize = 64 << 10

  static let tableRegion = GUID(0x2dc2_7766_f623_4200, 0x9d64_115e_9bfd_4a08)
  static let metadataRegion = GUID(0x8b7c_a206_4790_4b9a, 0xb8fe_575f_050f_886e)

  static let fileParameters = GUID(0xcaa1_6737_fa36_4d43, 0xb3b6_33f0_aa44_e76b)
  static let virtualDiskSize = GUID(0x2fa5_4224_cd1b_4876, 0xb211_5dbe_d83b_f4b8)
  static let virtualDiskID = GUID(0xbeca_12ab_b2e6_4523, 0x93ef_c309_e000_c746)
  static let logicalSectorSize = GUID(0x8141_bf1d_a96f_4709, 0xba47_f233_a8fa_ab5f)
  static let physicalSectorSize = GUID(0xcda3_48c7_445d_4471, 0x9cc9_e988_5251_c556)
  static let parentLocator = GUID(0xa8d3_5f2d_b30b_454d, 0xabf7_d3d8_4834_ab0c)

  /// What an entry of the block allocation table says of its block (2.5.1.1).
  enum BlockState: UInt64 {
    case notPresent = 0
    case undefined = 1
    case zero = 2
    case unmapped = 3
    case fullyPresent = 6
    case partiallyPresent = 7
  }

  /// After how many blocks an entry for a sector bitmap stands (2.5): the sectors of 2^23 bits.
  static func chunkRatio(blockSize: Int, sectorSize: Int) -> Int {
    max(1, (sectorSize << 23) / blockSize)
  }

  private static let checksumTable: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in value >> 1 ^ (value & 1 == 1 ? 0x82f6_3b78 : 0) }
  }

  /// A structure's CRC-32C (Castagnoli), its own field at byte 4 counted as zeros.
  static func checksum(_ bytes: [UInt8]) -> UInt32 {
    checksumTable.withUnsafeBufferPointer { table in
      bytes.withUnsafeBufferPointer { bytes in
        var value = UInt32.max
        for index in bytes.indices {
          let byte = (4..<8).contains(index) ? 0 : bytes[index]
          value = value >> 8 ^ table[Int((value ^ UInt32(byte)) & 0xff)]
        }
        return ~value
      }
    }
  }
}
