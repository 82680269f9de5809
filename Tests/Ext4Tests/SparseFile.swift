import Ext4
import Glibc

/// A sink that writes into a sparse file, removed with it.
final class SparseFile: BlockSink {
  let path: String
  private let descriptor: Int32
  private(set) var end = 0

  init() {
    var template = Array("/tmp/ext4-test-XXXXXX".utf8CString)
    descriptor = template.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.map { mkstemp($0) } ?? -1
    }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    close(descriptor)
    unlink(path)
  }

  struct WriteFailed: Error {}

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
    guard offset % 4096 == 0, bytes.count % 4096 == 0,
      pwrite(descriptor, bytes.baseAddress, bytes.count, offset) == bytes.count
    else { throw WriteFailed() }
    end = max(end, offset + bytes.count)
  }

  /// Gives the file its size, as the end of a file system may be free.
  func resize(_ size: Int) throws {
    guard ftruncate(descriptor, size) == 0 else { throw WriteFailed() }
  }

  /// All bytes, for comparing.
  func contents() throws -> [UInt8] {
    let size = Int(lseek(descriptor, 0, SEEK_END))
    var bytes = [UInt8](repeating: 0, count: size)
    guard pread(descriptor, &bytes, size, 0) == size else { throw WriteFailed() }
    return bytes
  }
}
