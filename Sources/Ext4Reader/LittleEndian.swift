internal import Ext4

// ext4's fields are little-endian; an array checks every index.
extension [UInt8] {
  func little16(_ offset: Int) -> UInt16 { UInt16(self[offset]) | UInt16(self[offset + 1]) << 8 }

  func little32(_ offset: Int) -> UInt32 {
    UInt32(little16(offset)) | UInt32(little16(offset + 2)) << 16
  }

  /// A number whose low half stands at one place and whose high half, 16 bits, at another.
  func little48(low: Int, high: Int) -> UInt64 {
    UInt64(little32(low)) | UInt64(little16(high)) << 32
  }

  func little64(low: Int, high: Int) -> UInt64 {
    UInt64(little32(low)) | UInt64(little32(high)) << 32
  }
}

/// A CRC-32C over a part of a block, going on from a seed.
func checksum(_ seed: UInt32, _ bytes: ArraySlice<UInt8>) -> UInt32 {
  bytes.withUnsafeBytes { CRC32C.update(seed, $0) }
}

/// A CRC-32C over an integer's bytes, going on from a seed.
func checksum(_ seed: UInt32, _ value: some FixedWidthInteger) -> UInt32 {
  CRC32C.update(seed, value)
}

/// A number as messages show it.
func hexadecimal(_ value: some BinaryInteger) -> String { "0x" + String(value, radix: 16) }
