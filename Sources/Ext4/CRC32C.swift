/// CRC-32C (Castagnoli) as ext4 and jbd2 use it: reflected, no final inversion.
package enum CRC32C {
  /// Eight tables for eight bytes a step ("slicing by eight").
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for index in 0..<256 {
      var value = UInt32(index)
      for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0x82f6_3b78 : value >> 1 }
      tables[index] = value
    }
    for index in 256..<8 * 256 {
      let value = tables[index - 256]
      tables[index] = value >> 8 ^ tables[Int(value & 0xff)]
    }
    return tables
  }()

  /// Goes on with a checksum over more bytes; the first seed is all ones.
  package static func update(_ seed: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
    tables.withUnsafeBufferPointer { table in
      var crc = seed
      var position = 0
      let end = bytes.count
      while end - position >= 8 {
        let word = UInt64(
          littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
        let low = UInt32(truncatingIfNeeded: word) ^ crc
        let high = UInt32(truncatingIfNeeded: word >> 32)
        let a = table[1792 + Int(low & 0xff)] ^ table[1536 + Int(low >> 8 & 0xff)]
        let b = table[1280 + Int(low >> 16 & 0xff)] ^ table[1024 + Int(low >> 24)]
        let c = table[768 + Int(high & 0xff)] ^ table[512 + Int(high >> 8 & 0xff)]
        let d = table[256 + Int(high >> 16 & 0xff)] ^ table[Int(high >> 24)]
        crc = a ^ b ^ c ^ d
        position += 8
      }
      while position < end {
        crc = crc >> 8 ^ table[Int((crc ^ UInt32(bytes[position])) & 0xff)]
        position += 1
      }
      return crc
    }
  }

  /// Goes on with a checksum over an integer's bytes, lowest first.
  package static func update(_ seed: UInt32, _ value: some FixedWidthInteger) -> UInt32 {
    withUnsafeBytes(of: value.littleEndian) { update(seed, $0) }
  }
}
