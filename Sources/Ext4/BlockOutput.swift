/// Gathers consecutive bytes into large writes.
///
/// With a size given, what lies beyond it is counted by the allocator and dropped here, so that
/// the final error can name all the bytes that are missing.
final class BlockOutput {
  private let sink: any BlockSink
  private let limit: Int
  private let buffer = UnsafeMutableRawBufferPointer.allocate(
    byteCount: 1 << 20, alignment: Ext4.blockSize)
  /// Where the buffer's first byte goes.
  private var start = 0
  private var filled = 0

  init(_ sink: any BlockSink, limit: Int) {
    self.sink = sink
    self.limit = limit
  }

  deinit { buffer.deallocate() }

  /// Goes on at an offset.
  func seek(_ offset: Int) throws {
    if offset == start + filled { return }
    try flush()
    start = offset
  }

  func append(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes
    while !rest.isEmpty {
      if filled == 0, rest.count >= buffer.count, start % Ext4.blockSize == 0 {
        let whole = rest.count & ~(Ext4.blockSize - 1)
        try send(UnsafeRawBufferPointer(rebasing: rest[..<whole]))
        rest = UnsafeRawBufferPointer(rebasing: rest[whole...])
        continue
      }
      let count = min(room, rest.count)
      buffer.part(filled..<filled + count)
        .copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<count]))
      filled += count
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      if room == 0 { try flush() }
    }
  }

  func appendZeros(_ count: Int) throws {
    var rest = count
    while rest > 0 {
      let part = min(room, rest)
      buffer.part(filled..<filled + part).clear()
      filled += part
      rest -= part
      if room == 0 { try flush() }
    }
  }

  func flush() throws {
    if filled == 0 { return }
    let count = filled
    filled = 0
    try send(UnsafeRawBufferPointer(buffer.part(0..<count)))
  }

  /// Writes whole blocks at an offset, apart from the running position.
  func write(_ bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws {
    try seek(offset)
    try append(UnsafeRawBufferPointer(bytes))
  }

  /// Up to the next multiple of the buffer's size, so that large writes are aligned.
  private var room: Int { buffer.count - start % buffer.count - filled }

  private func send(_ bytes: UnsafeRawBufferPointer) throws {
    let count = min(bytes.count, limit - start)
    if count > 0 { try sink.write(UnsafeRawBufferPointer(rebasing: bytes[..<count]), at: start) }
    start += bytes.count
  }
}
