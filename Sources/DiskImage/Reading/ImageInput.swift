internal import Synchronization
internal import SystemIO

/// The bytes of an image that may be hostile, read at any offset and never beyond the end.
///
/// Safe from any thread: reads carry their offset.
struct ImageInput: Sendable {
  private enum Source {
    case file(Descriptor)
    case bytes([UInt8])
  }

  private let source: Source
  /// The length in bytes when it was opened.
  let size: Int
  /// What it is called in messages.
  let name: String
  /// The format it is said to be.
  let format: DiskFormat

  /// A regular file.
  init(_ descriptor: Descriptor, format: DiskFormat) throws(DiskImageError) {
    let status: FileStatus
    do {
      status = try descriptor.status()
    } catch {
      throw .readFailed(error)
    }
    guard status.isRegular, let size = Int(exactly: status.size) else {
      throw .unsuitable(file: descriptor.name, reason: "it is no regular file")
    }
    self.size = size
    source = .file(descriptor)
    name = descriptor.name
    self.format = format
  }

  /// Bytes in memory.
  init(_ bytes: [UInt8], name: String, format: DiskFormat) {
    source = .bytes(bytes)
    size = bytes.count
    self.name = name
    self.format = format
  }

  /// Fills a buffer; `what` it holds is named where the file ends before it does.
  func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int, _ what: @autoclosure () -> String
  ) throws(DiskImageError) {
    guard offset >= 0, buffer.count <= size, offset <= size - buffer.count else {
      throw malformed(
        "\(what()) of \(buffer.count) bytes at offset \(offset) is beyond the file's end at \(size)"
      )
    }
    switch source {
    case .bytes(let bytes):
      bytes.withUnsafeBytes {
        buffer.copyMemory(
          from: UnsafeRawBufferPointer(rebasing: $0[offset..<offset + buffer.count]))
      }
    case .file(let descriptor):
      var done = 0
      while done < buffer.count {
        let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
        let count: Int
        do {
          count = try descriptor.read(into: rest, at: offset + done)
        } catch {
          throw .readFailed(error)
        }
        if count == 0 { throw malformed("it became shorter while it was read") }
        done += count
      }
    }
  }

  /// Bytes of a header or a table.
  func bytes(
    at offset: Int, count: Int, _ what: @autoclosure () -> String
  ) throws(DiskImageError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: min(count, max(size, 0)))
    if bytes.count < count {
      throw malformed("\(what()) of \(count) bytes at offset \(offset) is longer than the file")
    }
    try bytes.withUnsafeMutableBufferPointer { buffer throws(DiskImageError) in
      try read(into: UnsafeMutableRawBufferPointer(buffer), at: offset, what())
    }
    return bytes
  }

  /// The next stretch that is not a hole, from an offset on; nil where there is none.
  func nextData(from offset: Int) throws(DiskImageError) -> Range<Int>? {
    guard offset < size else { return nil }
    switch source {
    case .bytes: return offset..<size
    case .file(let descriptor):
      do {
        return try descriptor.nextData(from: offset)
      } catch {
        throw .readFailed(error)
      }
    }
  }

  func malformed(_ reason: String) -> DiskImageError {
    .malformed(file: name, format: format, reason: reason)
  }

  func refused(_ reason: String) -> DiskImageError { .refused(file: name, reason: reason) }
}

/// A table in an image, of which one page at a time is held: tables of any size cost no memory.
final class ImageTable: Sendable {
  private struct Page {
    var start = 0
    var bytes: [UInt8] = []
  }

  private static let pageSize = 4096
  private let input: ImageInput
  private let what: String
  private let page = Mutex(Page())

  /// - Parameter what: it is, in messages: "the level-1 table".
  init(_ input: ImageInput, _ what: String) {
    self.input = input
    self.what = what
  }

  /// A big-endian entry at an offset of the file that is a multiple of its size.
  func big<Value: FixedWidthInteger & Sendable>(
    _ type: Value.Type, at offset: Int
  ) throws(DiskImageError) -> Value {
    try page.withLock { page throws(DiskImageError) in
      if let value = page.bytes.big(type, at: offset - page.start) { return value }
      let start = max(0, offset) / Self.pageSize * Self.pageSize
      let count = max(0, min(Self.pageSize, input.size - start))
      page.bytes = try input.bytes(at: start, count: count, what)
      page.start = start
      if let value = page.bytes.big(type, at: offset - start) { return value }
      throw input.malformed("\(what) at offset \(offset) is beyond the file's end at \(input.size)")
    }
  }

  /// A little-endian entry at an offset of the file that is a multiple of its size.
  func little<Value: FixedWidthInteger & Sendable>(
    _ type: Value.Type, at offset: Int
  ) throws(DiskImageError) -> Value {
    try big(type, at: offset).byteSwapped
  }
}

/// A header's or a table's bytes, whose fields are named where they are missing.
struct ImageFields {
  let bytes: [UInt8]
  let input: ImageInput
  /// Where the bytes are in the file.
  let offset: Int
  /// What they are: "the header".
  let what: String

  /// Reads `count` bytes at an offset.
  init(_ input: ImageInput, at offset: Int, count: Int, _ what: String) throws(DiskImageError) {
    bytes = try input.bytes(at: offset, count: count, what)
    self.input = input
    self.offset = offset
    self.what = what
  }

  func big<Value: FixedWidthInteger>(
    _ type: Value.Type, at place: Int, _ name: String
  ) throws(DiskImageError) -> Value {
    if let value = bytes.big(type, at: place) { return value }
    throw input.malformed("\(what) at offset \(offset) ends before its \(name)")
  }

  func little<Value: FixedWidthInteger>(
    _ type: Value.Type, at place: Int, _ name: String
  ) throws(DiskImageError) -> Value {
    try big(type, at: place, name).byteSwapped
  }

  /// Says that a field's value can't be.
  func malformed(_ name: String, _ value: some FixedWidthInteger, at place: Int) -> DiskImageError {
    input.malformed("the \(name) at offset \(offset + place) is \(value)")
  }

  /// Whether a text stands at a place.
  func has(_ text: String, at place: Int) -> Bool {
    let expected = Array(text.utf8)
    return place + expected.count <= bytes.count
      && bytes[place..<place + expected.count].elementsEqual(expected)
  }
}
