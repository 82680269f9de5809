// ext4's fields are little-endian whatever the machine.
extension UnsafeMutableRawBufferPointer {
  func put(_ value: UInt8, at offset: Int) { self[offset] = value }

  func put(_ value: UInt16, at offset: Int) {
    storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt16.self)
  }

  func put(_ value: UInt32, at offset: Int) {
    storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt32.self)
  }

  /// The low 16 bits; the high ones have a field of their own.
  func putLow16(_ value: Int, at offset: Int) {
    put(UInt16(truncatingIfNeeded: value), at: offset)
  }

  /// The low 32 bits; the high ones have a field of their own.
  func putLow32(_ value: Int, at offset: Int) {
    put(UInt32(truncatingIfNeeded: value), at: offset)
  }

  func put(_ bytes: some Collection<UInt8>, at offset: Int) {
    UnsafeMutableRawBufferPointer(rebasing: self[offset..<offset + bytes.count])
      .copyBytes(from: bytes)
  }

  func clear() { _ = initializeMemory(as: UInt8.self, repeating: 0) }

  func part(_ range: Range<Int>) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(rebasing: self[range])
  }
}
