/// An entry of a tar made byte by byte, so that it may say what no tar program would write
/// (POSIX.1-2017, pax: ustar and pax interchange formats).
struct RawEntry {
  var name: String
  var type: Character = "0"
  var link = ""
  var data = ""
  /// The size field where it is not the data's, in octal digits or raw.
  var size: String?
  /// The field of device numbers, in octal digits.
  var device = ""
  var uid = "0000000"

  var bytes: [UInt8] {
    var block = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, _ offset: Int) {
      block.replaceSubrange(offset..<offset + text.utf8.count, with: Array(text.utf8))
    }
    put(name, 0)
    put("0000644\u{0}\(uid)\u{0}0000000\u{0}", 100)
    let digits = size ?? String(data.utf8.count, radix: 8)
    put(String(repeating: "0", count: 11 - digits.count) + digits + "\u{0}00000001000\u{0}", 124)
    put("        " + String(type), 148)
    put(link, 157)
    put("ustar\u{0}00", 257)
    put(device, 329)
    put(device, 337)
    let sum = String(block.reduce(0) { $0 + Int($1) }, radix: 8)
    put(String(repeating: "0", count: 6 - sum.count) + sum + "\u{0} ", 148)
    let content = Array(data.utf8)
    let padding = [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    return block + content + padding
  }

  /// An entry with a pax header before it.
  static func pax(
    _ records: [(String, String)], _ entry: RawEntry = RawEntry(name: "f", data: "x"),
    type: Character = "x"
  ) -> [RawEntry] {
    let text = records.map { record($0.0, $0.1) }.joined()
    return [RawEntry(name: "pax", type: type, data: text), entry]
  }

  /// `27 path=...`: the length counts itself.
  private static func record(_ key: String, _ value: String) -> String {
    let rest = " \(key)=\(value)\n"
    var length = rest.utf8.count + 1
    while String(length).utf8.count + rest.utf8.count != length {
      length = String(length).utf8.count + rest.utf8.count
    }
    return "\(length)\(rest)"
  }
}

/// A whole archive with its end mark.
func tar(_ entries: [RawEntry]) -> [UInt8] {
  entries.flatMap(\.bytes) + [UInt8](repeating: 0, count: 1024)
}
