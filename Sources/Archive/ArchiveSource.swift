internal import CLibarchive
internal import SystemIO

/// What libarchive reads from: a descriptor, counting what came out of it.
final class ArchiveSource {
  private let descriptor: Descriptor
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 4096)
  private(set) var bytesRead = 0
  /// The host's refusal, which libarchive only passes on as a number.
  private(set) var failure: SystemError?

  init(_ descriptor: Descriptor) { self.descriptor = descriptor }

  deinit { buffer.deallocate() }

  /// Opens the archive; the source must outlive the handle.
  func open(_ handle: OpaquePointer) -> Int32 {
    archive_read_open(
      handle, Unmanaged.passUnretained(self).toOpaque(), nil,
      { _, context, start in
        guard let context, let start else { return -1 }
        let source = Unmanaged<ArchiveSource>.fromOpaque(context).takeUnretainedValue()
        start.pointee = UnsafeRawPointer(source.buffer.baseAddress)
        return source.read()
      }, nil)
  }

  private func read() -> Int {
    do {
      let count = try descriptor.read(into: buffer)
      bytesRead += count
      return count
    } catch {
      failure = error
      return -1
    }
  }
}
