/// The lines of a text, counted as YAML 1.1 counts them: they end with LF, CR, CR LF, NEL, LS or PS.
public struct YAMLLines: Sendable {
  private let bytes: [UInt8]
  /// Where the lines begin.
  private let starts: [Int]

  /// Splits a text in UTF-8, or in UTF-16 that begins with a byte order mark.
  public init(_ text: [UInt8]) {
    var bytes = Self.inUTF8(text[...])
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { bytes.removeFirst(3) }
    var starts = [0]
    var index = 0
    while index < bytes.count {
      index += 1
      guard let end = Self.breakEnd(bytes, index - 1) else { continue }
      starts.append(end)
      index = end
    }
    self.bytes = bytes
    self.starts = starts
  }

  /// The text of a line, numbered from 1, without its end; nil where there is no such line.
  public subscript(number: Int) -> String? {
    guard starts.indices.contains(number - 1) else { return nil }
    let start = starts[number - 1]
    let limit = starts.indices.contains(number) ? starts[number] : bytes.count
    var end = start
    while end < limit, Self.breakEnd(bytes, end) == nil { end += 1 }
    return String(decoding: bytes[start..<end], as: UTF8.self)
  }

  /// How many lines there are; at least 1.
  var count: Int { starts.count }

  /// The lines in UTF-8 with LF between them, but where LS or PS ends a line, which texts keep.
  var joined: String {
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
      if let end = Self.breakEnd(bytes, index) {
        if bytes[index] == 0xe2 {
          text += bytes[index..<end]
        } else {
          text.append(0x0a)
        }
        index = end
      } else {
        text.append(bytes[index])
        index += 1
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Where the line break that begins at an index ends; nil where none begins.
  private static func breakEnd(_ bytes: [UInt8], _ index: Int) -> Int? {
    func next(_ distance: Int) -> UInt8? {
      index + distance < bytes.count ? bytes[index + distance] : nil
    }
    switch bytes[index] {
    case 0x0a: return index + 1
    case 0x0d: return next(1) == 0x0a ? index + 2 : index + 1
    case 0xc2: return next(1) == 0x85 ? index + 2 : nil
    case 0xe2:
      return next(1) == 0x80 && (next(2) == 0xa8 || next(2) == 0xa9) ? index + 3 : nil
    default: return nil
    }
  }

  /// The text in UTF-8, the byte order mark of UTF-16 taken off.
  private static func inUTF8(_ text: ArraySlice<UInt8>) -> [UInt8] {
    let isBigEndian = text.starts(with: [0xfe, 0xff])
    guard isBigEndian || text.starts(with: [0xff, 0xfe]) else { return Array(text) }
    let units = text.dropFirst(2)
    let numbers = stride(from: units.startIndex, to: units.endIndex - 1, by: 2).map { index in
      let (first, second) = (UInt16(units[index]), UInt16(units[index + 1]))
      return isBigEndian ? first << 8 | second : second << 8 | first
    }
    return Array(String(decoding: numbers, as: UTF16.self).utf8)
  }

  /// The place behind a text that is cut off anywhere, as the mark of what follows.
  static func end(of text: some Collection<UInt8>) -> YAMLMark {
    let lines = YAMLLines(Array(text))
    let last = lines[lines.count] ?? ""
    return YAMLMark(
      line: Int32(clamping: lines.count), column: Int32(clamping: last.unicodeScalars.count + 1))
  }
}
