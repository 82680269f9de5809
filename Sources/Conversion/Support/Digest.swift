internal import Crypto
internal import SystemIO

/// A SHA-256 being computed over values of known extent, so that no two sequences run together.
struct Digest {
  private var hasher = SHA256()

  mutating func add(_ bytes: some Sequence<UInt8>) {
    let bytes = Array(bytes)
    add(UInt64(bytes.count))
    bytes.withUnsafeBytes { hasher.update(bufferPointer: $0) }
  }

  mutating func add(_ text: String) { add(text.utf8) }

  mutating func add(_ number: some BinaryInteger) {
    let value = UInt64(truncatingIfNeeded: number)
    Swift.withUnsafeBytes(of: value.littleEndian) { hasher.update(bufferPointer: $0) }
  }

  /// The 32 bytes.
  func bytes() -> [UInt8] { Array(hasher.finalize()) }

  /// The bytes in hexadecimal.
  func text() -> String { Self.hexadecimal(bytes()) }

  static func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(
      decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// The SHA-256 of bytes in memory.
  static func ofBytes(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }

  /// The SHA-256 of a file's bytes in hexadecimal.
  static func ofFile(_ descriptor: Descriptor) throws -> String {
    var hasher = SHA256()
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
    defer { buffer.deallocate() }
    var position = 0
    while true {
      let count = try descriptor.read(into: buffer, at: position)
      if count == 0 { return hexadecimal(Array(hasher.finalize())) }
      hasher.update(bufferPointer: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      position += count
    }
  }
}
