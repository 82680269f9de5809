public import SystemIO

/// Takes the lines of text out of what a terminal would be sent, in pieces of any size.
///
/// Control sequences (ECMA-48) go; those that move the cursor or clear the screen end a line, since
/// what follows stands elsewhere. The guest writes what it likes: a line is cut at `lineLimit` and
/// a string of a control sequence at `stringLimit`, so that the work is bounded by the bytes.
public struct ConsoleText {
  /// Bytes of a line that are kept.
  public static let lineLimit = 512
  private static let stringLimit = 4096

  private enum Place {
    case text, escape, intermediate, sequence
    /// In an operating system command or its like, until BEL or ESC \.
    case string(Int)
  }

  private var place = Place.text
  /// The line that has no end yet.
  public private(set) var open: [UInt8] = []

  /// Begins at the start of a line.
  public init() {}

  /// Takes bytes in; `line` gets each line that ends among them, but for empty ones.
  public mutating func take(_ bytes: [UInt8], _ line: ([UInt8]) -> Void) {
    for byte in bytes {
      switch place {
      case .text: takeText(byte, line)
      case .escape: takeEscape(byte, line)
      case .intermediate: if byte >= 0x30 { place = .text }
      case .sequence: takeSequence(byte, line)
      case .string(let count):
        if byte == 0x1b {
          place = .escape
        } else {
          place = byte == 0x07 || count >= Self.stringLimit ? .text : .string(count + 1)
        }
      }
    }
  }

  private mutating func takeText(_ byte: UInt8, _ line: ([UInt8]) -> Void) {
    switch byte {
    case 0x1b: place = .escape
    case 0x0a, 0x0d, 0x0c: endLine(line)
    case 0x08: _ = open.popLast()
    case 0x09: if open.count < Self.lineLimit { open.append(0x20) }
    case 0..<0x20, 0x7f: break
    default: if open.count < Self.lineLimit { open.append(byte) }
    }
  }

  private mutating func takeEscape(_ byte: UInt8, _ line: ([UInt8]) -> Void) {
    switch byte {
    case 0x5b: place = .sequence  // [
    case 0x5d, 0x50, 0x58, 0x5e, 0x5f: place = .string(0)  // ] P X ^ _
    case 0x20..<0x30: place = .intermediate
    case 0x1b: break
    case 0x63:  // c: reset
      place = .text
      endLine(line)
    default: place = .text
    }
  }

  private mutating func takeSequence(_ byte: UInt8, _ line: ([UInt8]) -> Void) {
    switch byte {
    case 0x1b: place = .escape
    case 0x40...0x7e:
      place = .text
      // Cursor up, down, next and previous line, absolute column and position; clear the screen.
      if [0x41, 0x42, 0x45, 0x46, 0x47, 0x48, 0x4a, 0x64, 0x66].contains(byte) { endLine(line) }
    default: break
    }
  }

  private mutating func endLine(_ line: ([UInt8]) -> Void) {
    if !open.isEmpty { line(open) }
    open.removeAll(keepingCapacity: true)
  }

  /// A line as a text that can be shown: without control and format characters, cut to `limit`.
  public static func text(_ line: [UInt8], limit: Int = 200) -> String {
    var text = String.UnicodeScalarView()
    var count = 0
    for scalar in String(decoding: line, as: UTF8.self).unicodeScalars {
      switch scalar.properties.generalCategory {
      // Format characters can turn the direction of all that follows.
      case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate: continue
      default:
        text.append(scalar)
        count += 1
        if count >= limit { return String(text) }
      }
    }
    return String(text)
  }

  /// The last lines of what a console was sent, the open one with them; blank ones are left out.
  public static func lastLines(_ count: Int, of bytes: [UInt8]) -> [String] {
    var console = ConsoleText()
    var lines: [[UInt8]] = []
    func keep(_ line: [UInt8]) {
      guard count > 0, line.contains(where: { $0 != 0x20 }) else { return }
      if lines.count >= 2 * count { lines.removeFirst(lines.count - count) }
      lines.append(line)
    }
    console.take(bytes, keep)
    keep(console.open)
    return lines.suffix(max(0, count)).map { text($0) }
  }
}

/// What a guest wrote on its serial console, read beside the monitor that bounds it.
public enum ConsoleHistory {
  /// The last bytes of the console, at most `limit` of them.
  ///
  /// - Parameter start: `StartedRecord.consoleStart`, to leave out what earlier boots wrote; nil
  ///   reads on into them.
  /// - Returns: the bytes, and whether `limit` cut off what came before them.
  public static func read(
    _ directory: MachineDirectory, since start: Int?, limit: Int
  ) throws(SystemError) -> (bytes: [UInt8], isCut: Bool) {
    let older = try file(directory.olderConsoleLog)
    let newer = try file(directory.consoleLog)
    let (olderSize, newerSize) = (try older?.size() ?? 0, try newer?.size() ?? 0)
    // Counted from the beginning of the older file. A start beyond the end was recorded before the
    // log was moved.
    let whole = olderSize + newerSize
    let begin = max(0, start.map { $0 > newerSize ? olderSize : olderSize + $0 } ?? 0)
    let from = max(begin, whole - max(0, limit))
    var bytes: [UInt8] = []
    if let older, from < olderSize { try read(older, from..<olderSize, into: &bytes) }
    if let newer { try read(newer, max(0, from - olderSize)..<newerSize, into: &bytes) }
    return (bytes, from > begin)
  }

  /// A file that was cut meanwhile just ends earlier.
  private static func read(
    _ file: Descriptor, _ range: Range<Int>, into bytes: inout [UInt8]
  ) throws(SystemError) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    defer { buffer.deallocate() }
    var offset = range.lowerBound
    while offset < range.upperBound {
      let wanted = min(buffer.count, range.upperBound - offset)
      let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
      let count = try file.read(into: part, at: offset)
      if count == 0 { return }
      bytes += part[..<count]
      offset += count
    }
  }

  private static func file(_ path: String) throws(SystemError) -> Descriptor? {
    do {
      return try Descriptor.open(path, .read)
    } catch  where error.isNotFound {
      return nil
    }
  }
}
