/// CRC-16 (polynomial 0x8005, reflected) as ext4's older group descriptors have it.
package enum CRC16 {
  /// Goes on with a checksum over more bytes; the first seed is all ones.
  package static func update(_ seed: UInt16, _ bytes: UnsafeRawBufferPointer) -> UInt16 {
    bytes.reduce(seed) { crc, byte in
      var value = crc ^ UInt16(byte)
      for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xa001 : value >> 1 }
      return value
    }
  }
}
