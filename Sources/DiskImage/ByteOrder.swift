/// A byte array built field by field.
struct ByteBuilder {
  private(set) var bytes: [UInt8] = []

  mutating func big<Value: FixedWidthInteger>(_ value: Value) {
    Swift.withUnsafeBytes(of: value.bigEndian) { bytes += $0 }
  }
  mutating func little<Value: FixedWidthInteger>(_ value: Value) {
    Swift.withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
  }
  mutating func append(_ more: [UInt8]) { bytes += more }
  /// Fills with zeros up to a length.
  mutating func pad(to length: Int) {
    if bytes.count < length { bytes += [UInt8](repeating: 0, count: length - bytes.count) }
  }
}

extension Array where Element == UInt8 {
  /// A big-endian field; nil where it does not lie inside.
  func big<Value: FixedWidthInteger>(_ type: Value.Type, at offset: Int) -> Value? {
    let size = MemoryLayout<Value>.size
    guard offset >= 0, offset <= count - size else { return nil }
    return self[offset..<offset + size].reduce(0) { $0 << 8 | Value($1) }
  }

  /// A little-endian field; nil where it does not lie inside.
  func little<Value: FixedWidthInteger>(_ type: Value.Type, at offset: Int) -> Value? {
    big(type, at: offset)?.byteSwapped
  }
}
