internal import Glibc
internal import SystemIO

/// Sets the times of an ISO 9660 disc that libarchive takes from the clock.
///
/// They are those of the volume and of its root directory; so the same files give the same disc.
/// Works on libarchive's own output (ECMA-119, chapters 8 and 9; Rock Ridge `TF`), which is trusted
/// to be well formed as far as sectors go.
struct DiscTimes {
  private static let sector = 2048
  /// Seven bytes, as in directory records: years since 1900 to seconds, offset from Greenwich.
  private let record: [UInt8]
  /// Seventeen bytes, as in volume descriptors: digits to hundredths, offset from Greenwich.
  private let volume: [UInt8]

  /// Nil for a moment outside the years 1900 to 2155, which the format doesn't hold.
  init?(_ time: Timestamp) {
    var seconds = time_t(time.seconds)
    var parts = tm()
    guard gmtime_r(&seconds, &parts) != nil, let year = UInt8(exactly: parts.tm_year) else {
      return nil
    }
    let rest = [parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec]
      .map { UInt8(truncatingIfNeeded: $0) }
    record = [year] + rest + [0]
    let century = UInt8((Int(year) + 1900) / 100)
    let pairs = [century, UInt8((Int(year) + 1900) % 100)] + rest + [0]
    volume = pairs.flatMap { [48 + $0 / 10, 48 + $0 % 10] } + [0]
  }

  /// Puts the times into a whole disc.
  func apply(to disc: inout [UInt8]) {
    var start = 16 * Self.sector
    while start + 2 * Self.sector <= disc.count, disc[start] != 255 {
      if disc[start] == 1 || disc[start] == 2 {
        for field in [813, 830, 864] { put(volume, at: start + field, of: &disc) }
        let root = start + 156
        put(record, at: root + 18, of: &disc)
        apply(
          toDirectory: number(at: root + 2, of: disc) * Self.sector,
          length: number(at: root + 10, of: disc), of: &disc)
      }
      start += Self.sector
    }
    // After the last descriptor libarchive notes its version and the time for curious readers.
    let note = start + Self.sector
    if note + Self.sector <= disc.count, disc[note..<note + 4].elementsEqual("INFO".utf8) {
      put([UInt8](repeating: 0, count: Self.sector), at: note, of: &disc)
    }
  }

  /// Sets the times of a directory's records of itself and its parent.
  private func apply(toDirectory start: Int, length: Int, of disc: inout [UInt8]) {
    var position = start
    while position + 34 <= min(start + length, disc.count) {
      let size = Int(disc[position])
      if size < 34 || position + size > disc.count { return }
      // The names of those two are the bytes 0 and 1.
      if disc[position + 32] == 1, disc[position + 33] <= 1 {
        put(record, at: position + 18, of: &disc)
        apply(toSystemUse: position + 34..<position + size, of: &disc)
      }
      position += size
    }
  }

  private func apply(toSystemUse range: Range<Int>, of disc: inout [UInt8]) {
    var position = range.lowerBound
    while position + 5 <= range.upperBound {
      let size = Int(disc[position + 2])
      if size < 4 { return }
      if disc[position..<position + 2].elementsEqual("TF".utf8) {
        for stamp in stride(from: position + 5, through: position + size - 7, by: 7) {
          put(record, at: stamp, of: &disc)
        }
      }
      position += size
    }
  }

  private func put(_ bytes: [UInt8], at offset: Int, of disc: inout [UInt8]) {
    if offset + bytes.count <= disc.count {
      disc.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }
  }

  private func number(at offset: Int, of disc: [UInt8]) -> Int {
    disc[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
  }
}
