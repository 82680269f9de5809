internal import Archive

/// An initramfs: cpio archives one after another, the last mostly compressed
/// (Linux Documentation/driver-api/early-userspace/buffer-format.rst).
enum InitialRAMDisk {
  /// The names in all archives; nil where one is damaged or its compression is unknown, so that it
  /// can't be told.
  static func names(_ bytes: [UInt8]) -> [String]? {
    var names: [String] = []
    var position = 0
    while position < bytes.count {
      if bytes[position] == 0 {
        position += 1
        continue
      }
      guard let entry = entry(bytes, at: position) else {
        // What no longer is plain is compressed, up to the end; why it can't be read is no matter.
        guard let rest = try? cpioNames(bytes[position...], name: "the initramfs") else {
          return nil
        }
        return names + rest.map { "/" + String(decoding: $0, as: UTF8.self) }
      }
      if entry.name != "TRAILER!!!" { names.append("/" + entry.name) }
      position = entry.end
    }
    return names
  }

  /// An entry in the "new ASCII" format: a header of 110 characters, name and data padded to 4.
  private static func entry(_ bytes: [UInt8], at start: Int) -> (name: String, end: Int)? {
    guard bytes.count - start >= 110,
      [Array("070701".utf8), Array("070702".utf8)].contains(Array(bytes[start..<start + 6])),
      let dataSize = field(bytes, at: start + 6 + 6 * 8),
      let nameSize = field(bytes, at: start + 6 + 11 * 8), nameSize > 0
    else { return nil }
    let nameEnd = start + 110 + nameSize
    let data = (nameEnd + 3) & ~3
    let end = (data + dataSize + 3) & ~3
    guard nameEnd <= bytes.count, data + dataSize <= bytes.count else { return nil }
    return (String(decoding: bytes[start + 110..<nameEnd - 1], as: UTF8.self), end)
  }

  private static func field(_ bytes: [UInt8], at offset: Int) -> Int? {
    Int(String(decoding: bytes[offset..<offset + 8], as: UTF8.self), radix: 16)
  }
}
