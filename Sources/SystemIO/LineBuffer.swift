/// Lines out of bytes that come in pieces, with a bound on what is held.
public struct LineBuffer: Sendable {
  private var bytes: [UInt8] = []
  private var start = 0
  private var searched = 0
  private let limit: Int

  /// Makes an empty buffer for lines of up to `limit` bytes.
  public init(limit: Int) { self.limit = limit }

  /// Takes in bytes; false where a line is longer than the limit.
  public mutating func append(_ more: [UInt8]) -> Bool {
    if start > 0 {
      bytes.removeFirst(start)
      searched -= start
      start = 0
    }
    bytes += more
    return bytes.count <= limit || bytes.contains(UInt8(ascii: "\n"))
  }

  /// The next whole line without its end (`\n` or `\r\n`); nil where there is none yet.
  public mutating func next() -> [UInt8]? {
    guard let end = bytes[searched...].firstIndex(of: UInt8(ascii: "\n")) else {
      searched = bytes.count
      return nil
    }
    var line = bytes[start..<end]
    if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
    start = end + 1
    searched = start
    return Array(line)
  }

  /// What has come in after the last whole line.
  public var rest: [UInt8] { Array(bytes[start...]) }
}
