/// The hash that orders names in indexed directories: half MD4 (the kernel's fs/ext4/hash.c).
struct DirectoryHash {
  private let seed: (UInt32, UInt32, UInt32, UInt32)

  init(seed bytes: [UInt8]) {
    func word(_ index: Int) -> UInt32 {
      (0..<4).reduce(0) { $0 | UInt32(bytes[index * 4 + $1]) << (8 * UInt32($1)) }
    }
    let given = (word(0), word(1), word(2), word(3))
    // An all-zero seed means MD4's own start.
    seed =
      given == (0, 0, 0, 0) ? (0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476) : given
  }

  /// The major hash, its lowest bit 0, and the minor one that orders names of equal hash.
  func hash(_ name: UnsafeRawBufferPointer) -> (major: UInt32, minor: UInt32) {
    var state = seed
    var rest = name
    while !rest.isEmpty {
      Self.transform(&state, Self.words(rest))
      rest = UnsafeRawBufferPointer(rebasing: rest[min(32, rest.count)...])
    }
    var major = state.1 & ~1
    // The kernel keeps the largest value for the end of a directory.
    if major == 0xffff_fffe { major = 0xffff_fffc }
    return (major, state.2)
  }

  private typealias Block = (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32)

  /// Up to 32 bytes as eight words, the first byte highest, padded with the length in each byte.
  ///
  /// Bytes count as signed, which is what the superblock's flag says.
  private static func words(_ bytes: UnsafeRawBufferPointer) -> Block {
    var padding = UInt32(truncatingIfNeeded: bytes.count)
    padding |= padding << 8
    padding |= padding << 16
    func word(_ index: Int) -> UInt32 {
      var value = padding
      for position in index * 4..<max(index * 4, min(index * 4 + 4, bytes.count)) {
        let byte = UInt32(bitPattern: Int32(Int8(bitPattern: bytes[position])))
        value = byte &+ value << 8
      }
      return value
    }
    return (word(0), word(1), word(2), word(3), word(4), word(5), word(6), word(7))
  }

  private static func transform(_ state: inout (UInt32, UInt32, UInt32, UInt32), _ x: Block) {
    var (a, b, c, d) = state
    func rotate(_ value: UInt32, _ count: UInt32) -> UInt32 {
      value << count | value >> (32 - count)
    }
    func f(_ a: inout UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32, _ x: UInt32, _ s: UInt32) {
      a = rotate(a &+ (d ^ b & (c ^ d)) &+ x, s)
    }
    func g(_ a: inout UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32, _ x: UInt32, _ s: UInt32) {
      a = rotate(a &+ (b & c) &+ ((b ^ c) & d) &+ x &+ 0x5a82_7999, s)
    }
    func h(_ a: inout UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32, _ x: UInt32, _ s: UInt32) {
      a = rotate(a &+ (b ^ c ^ d) &+ x &+ 0x6ed9_eba1, s)
    }
    f(&a, b, c, d, x.0, 3)
    f(&d, a, b, c, x.1, 7)
    f(&c, d, a, b, x.2, 11)
    f(&b, c, d, a, x.3, 19)
    f(&a, b, c, d, x.4, 3)
    f(&d, a, b, c, x.5, 7)
    f(&c, d, a, b, x.6, 11)
    f(&b, c, d, a, x.7, 19)
    g(&a, b, c, d, x.1, 3)
    g(&d, a, b, c, x.3, 5)
    g(&c, d, a, b, x.5, 9)
    g(&b, c, d, a, x.7, 13)
    g(&a, b, c, d, x.0, 3)
    g(&d, a, b, c, x.2, 5)
    g(&c, d, a, b, x.4, 9)
    g(&b, c, d, a, x.6, 13)
    h(&a, b, c, d, x.3, 3)
    h(&d, a, b, c, x.7, 9)
    h(&c, d, a, b, x.2, 11)
    h(&b, c, d, a, x.6, 15)
    h(&a, b, c, d, x.1, 3)
    h(&d, a, b, c, x.5, 9)
    h(&c, d, a, b, x.0, 11)
    h(&b, c, d, a, x.4, 15)
    state = (state.0 &+ a, state.1 &+ b, state.2 &+ c, state.3 &+ d)
  }
}
