/// What a kernel file says about itself (Linux Documentation/arch/x86/boot.rst).
enum KernelImage {
  /// The version, `6.1.0-18-amd64`; nil where the file is no x86 kernel.
  static func version(_ bytes: [UInt8]) -> String? {
    guard bytes.count > 0x210, Array(bytes[0x202..<0x206]) == Array("HdrS".utf8) else {
      return nil
    }
    let start = (Int(bytes[0x20e]) | Int(bytes[0x20f]) << 8) + 0x200
    guard start > 0x200, start < bytes.count else { return nil }
    let text = bytes[start..<min(bytes.count, start + 128)].prefix { $0 > 0x20 && $0 < 0x7f }
    return text.isEmpty ? nil : String(decoding: text, as: UTF8.self)
  }

  /// Whether version `a` is older than `b`: numbers by value, other characters by code, a tilde
  /// before everything, as dpkg has it.
  static func isOlder(_ a: String, _ b: String) -> Bool {
    let left = pieces(a)
    let right = pieces(b)
    for (x, y) in zip(left, right) where x != y {
      return x.lexicographicallyPrecedes(y)
    }
    if left.count == right.count { return false }
    // The longer one is newer, but for a tilde.
    let isLeftLonger = left.count > right.count
    let next = isLeftLonger ? left[right.count] : right[left.count]
    return isLeftLonger == (next == [0])
  }

  /// Each piece is a class (0 tilde, 1 other, 2 number) and what to compare within it.
  private static func pieces(_ version: String) -> [[Int]] {
    var pieces: [[Int]] = []
    var digits: [Int] = []
    func close() -> [Int] {
      let significant = digits.drop { $0 == 0 }
      return [2, significant.count] + significant
    }
    for scalar in version.unicodeScalars {
      if let digit = scalar.isASCII ? Character(scalar).wholeNumberValue : nil {
        digits.append(digit)
        continue
      }
      if !digits.isEmpty { pieces.append(close()) }
      digits = []
      pieces.append(scalar == "~" ? [0] : [1, Int(scalar.value)])
    }
    if !digits.isEmpty { pieces.append(close()) }
    return pieces
  }
}
