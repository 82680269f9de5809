internal import CZlib
internal import CZstd

/// One thread's compressor.
///
/// Unchecked: the library's context is used by the one worker that was given this object.
final class ClusterCompressor: @unchecked Sendable {
  /// What a compressed cluster needs at most: deflate adds some bytes to what it can't compress.
  static let outputSize = clusterSize + 4096

  private enum Engine {
    case none
    case zlib(UnsafeMutablePointer<z_stream>)
    case zstd(OpaquePointer)
  }

  /// What a compressed cluster of qcow2 may take at most.
  ///
  /// One that saves less than a sixteenth is stored plain: it would cost every reader a
  /// decompression for next to nothing.
  private static let profitable = clusterSize - clusterSize / 16

  private let limit: Int
  private let engine: Engine

  /// Makes the compressor that a format needs.
  init(
    _ compression: DiskCompression, for format: DiskFormat, file: String
  ) throws(DiskImageError) {
    limit = format == .vmdk ? Self.outputSize : Self.profitable
    switch (format, compression) {
    case (.qcow2, .none), (.raw, _), (.vhd, _), (.vhdFixed, _), (.vhdx, _), (.ova, _):
      engine = .none
    // QEMU inflates with a window of 12 bits and no header.
    case (.qcow2, .zlib(let level)):
      engine = .zlib(try Self.makeDeflater(level, windowBits: -12, file))
    case (.vmdk, .zlib(let level)):
      engine = .zlib(try Self.makeDeflater(level, windowBits: 15, file))
    case (.vmdk, _):
      engine = .zlib(try Self.makeDeflater(1, windowBits: 15, file))
    case (.qcow2, .zstd(let level)):
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

  private static func makeDeflater(
    _ level: Int, windowBits: Int32, _ file: String
  ) throws(DiskImageError) -> UnsafeMutablePointer<z_stream> {
    guard (1...9).contains(level) else {
      throw .outOfRange(file: file, what: "zlib level", value: level)
    }
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    stream.initialize(to: z_stream())
    guard ingot_deflate_init2(stream, Int32(level), windowBits) == Z_OK else {
      stream.deallocate()
      throw .compressorFailed(file: file, reason: "zlib has no memory")
    }
    return stream
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

  /// Compresses a cluster; nil where that doesn't pay, which it always does for VMDK.
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
      stream.pointee.avail_out = UInt32(limit)
      guard deflate(stream, Z_FINISH) == Z_STREAM_END else { return nil }
      return limit - Int(stream.pointee.avail_out)
    case .zstd(let context):
      // The one error there is, an output that doesn't fit, means that it doesn't pay.
      let size = ZSTD_compress2(
        context, output.baseAddress, limit, input.baseAddress, input.count)
      return ZSTD_isError(size) == 0 ? size : nil
    }
  }
}
