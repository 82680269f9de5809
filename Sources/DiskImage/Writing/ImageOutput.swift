internal import Glibc
internal import SystemIO

/// The file an image is written to, counting what was written for messages and reports.
///
/// Used by one thread at a time, as the sinks are.
final class ImageOutput {
  let descriptor: Descriptor
  /// The file's name for messages.
  var file: String { descriptor.name }
  private(set) var bytesWritten = 0
  /// What `bytesWritten` was when the disk was last told to begin.
  private var started = 0
  /// The file's length as last set by `resize`.
  private(set) var size = 0

  init(_ descriptor: Descriptor) { self.descriptor = descriptor }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(DiskImageError) {
    do {
      try descriptor.write(bytes, at: offset)
    } catch {
      throw .writeFailed(error, imageBytes: bytesWritten)
    }
    bytesWritten += bytes.count
    // Else the kernel may keep all of it until the end, when the disk has been idle for long.
    if bytesWritten - started >= 16 << 20 {
      started = bytesWritten
      descriptor.startWriteback()
    }
  }

  func write(_ bytes: [UInt8], at offset: Int) throws(DiskImageError) {
    try bytes.withUnsafeBufferPointer { buffer throws(DiskImageError) in
      try write(UnsafeRawBufferPointer(buffer), at: offset)
    }
  }

  /// Fills a buffer with bytes that were written before.
  func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(DiskImageError) {
    var done = 0
    while done < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
      let count: Int
      do {
        count = try descriptor.read(into: rest, at: offset + done)
      } catch {
        throw .readFailed(error)
      }
      if count == 0 { throw .readFailed(SystemError("read back", file, errno: EIO)) }
      done += count
    }
  }

  func resize(to size: Int) throws(DiskImageError) {
    do {
      try descriptor.truncate(to: size)
    } catch {
      throw .writeFailed(error, imageBytes: bytesWritten)
    }
    self.size = size
  }
}
