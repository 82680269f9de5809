internal import CZlib
internal import CZstd

/// How a cluster was compressed.
enum Decompression: Sendable {
  /// Deflate without a header, as in qcow2.
  case deflate
  /// Deflate with zlib's header and checksum, as in VMDK.
  case zlib
  /// A Zstandard frame.
  case zstd

  /// Decompresses the start of `input` into `output`; what follows the compressed data is left
  /// alone.
  ///
  /// - Returns: how many bytes came out; nil where the data are damaged.
  func run(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int? {
    switch self {
    case .deflate: Self.inflate(input, into: output, windowBits: -15)
    case .zlib: Self.inflate(input, into: output, windowBits: 15)
    case .zstd: Self.zstd(input, into: output)
    }
  }

  private static func inflate(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, windowBits: Int32
  ) -> Int? {
    var stream = z_stream()
    guard ingot_inflate_init2(&stream, windowBits) == Z_OK else { return nil }
    defer { inflateEnd(&stream) }
    // zlib takes its input as mutable and leaves it alone.
    let source = UnsafeMutableRawPointer(mutating: input.baseAddress)
    stream.next_in = source?.assumingMemoryBound(to: UInt8.self)
    stream.avail_in = UInt32(clamping: input.count)
    stream.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.avail_out = UInt32(clamping: output.count)
    let status = CZlib.inflate(&stream, Z_FINISH)
    // A full output without the stream's end is what QEMU takes too.
    guard status == Z_STREAM_END || status == Z_BUF_ERROR && stream.avail_out == 0 else {
      return nil
    }
    return output.count - Int(stream.avail_out)
  }

  /// The largest window, 2^23 bytes, which every level up to 19 keeps to: a frame can ask for
  /// gigabytes.
  private static let windowLimit: Int32 = 23

  private static func zstd(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) -> Int? {
    guard let context = ZSTD_createDCtx() else { return nil }
    defer { ZSTD_freeDCtx(context) }
    let set = ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, windowLimit)
    guard ZSTD_isError(set) == 0 else { return nil }
    var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
    var target = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
    while target.pos < target.size {
      let before = (source.pos, target.pos)
      let left = ZSTD_decompressStream(context, &target, &source)
      if ZSTD_isError(left) != 0 { return nil }
      if left == 0 || (source.pos, target.pos) == before { break }
    }
    return target.pos
  }
}
