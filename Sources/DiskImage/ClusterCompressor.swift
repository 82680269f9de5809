internal import CZlib
internal import CZstd

/// One thread's compressor.
///
/// Unchecked: the library's context is used by the one worker that was given this object.
final class ClusterCompressor: @unchecked Sendable {
  private enum Engine {
    case none
    case zlib(UnsafeMutablePointer<z_stream>)
    case zstd(OpaquePointer)
  }

  /// What a compressed cluster may take at most.
  ///
  /// One that saves less than a sixteenth is stored plain: it would cost every reader a
  /// decompression for next to nothing.
  private static let limit = clusterSize - clusterSize / 16

  private let engine: Engine

  init(_ compression: DiskCompression, file: String) throws(DiskImageError) {
    switch compression {
    case .none:
      engine = .none
    case .zlib(let level):
      guard (1...9).contains(level) else {
        throw .outOfRange(file: file, what: "zlib level", value: level)
      }
      let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
      stream.initialize(to: z_stream())
      // QEMU inflates with a window of 12 bits and no header.
      guard ingot_deflate_init2(stream, Int32(level), -12) == Z_OK else {
        stream.deallocate()
        throw .compressorFailed(file: file, reason: "zlib has no memory")
      }
      engine = .zlib(stream)
    case .zstd(let level):
      guard (1...19).contains(level) else {
        throw .outOfRange(file: file, what: "zstd level", value: level)
      }
      guard let context = ZSTD_createCCtx() else {
        throw .compressorFailed(file: file, reason: "zstd has no memory")
      }
      let status = ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(level))
      guard ZSTD_isError(status) == 0 else {
        ZSTD_freeCCtx(context)
        throw .compressorFailed(file: file, reason: String(cString: ZSTD_getErrorName(status)))
      }
      engine = .zstd(context)
    }
  }

  deinit {
    switch engine {
    case .none: break
    case .zlib(let stream):
      deflateEnd(stream)
      stream.deallocate()
    case .zstd(let context): ZSTD_freeCCtx(context)
    }
  }

  /// Compresses a cluster; nil where that doesn't pay.
  func compress(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) -> Int? {
    switch engine {
    case .none:
      return nil
    case .zlib(let stream):
      guard deflateReset(stream) == Z_OK else { return nil }
      // zlib takes its input as mutable and leaves it alone.
      let source = UnsafeMutableRawPointer(mutating: input.baseAddress)
      stream.pointee.next_in = source?.assumingMemoryBound(to: UInt8.self)
      stream.pointee.avail_in = UInt32(input.count)
      stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
      stream.pointee.avail_out = UInt32(Self.limit)
      guard deflate(stream, Z_FINISH) == Z_STREAM_END else { return nil }
      return Self.limit - Int(stream.pointee.avail_out)
    case .zstd(let context):
      // The one error there is, an output that doesn't fit, means that it doesn't pay.
      let size = ZSTD_compress2(
        context, output.baseAddress, Self.limit, input.baseAddress, input.count)
      return ZSTD_isError(size) == 0 ? size : nil
    }
  }
}
