import Ext4
import Glibc

/// A sink that writes into a sparse file, removed with it; zeros at the end stay holes.
final class SparseFile: BlockSink {
  let path: String
  private let descriptor: Int32
  private let isInMemory: Bool
  private(set) var end = 0

  /// A file in memory, which may be larger than any disk's file system allows.
  init(inMemory name: String) {
    isInMemory = true
    // The module of Glibc leaves this GNU extension out.
    typealias Create = @convention(c) (UnsafePointer<CChar>, UInt32) -> Int32
    let found = dlsym(nil, "memfd_create").map { unsafeBitCast($0, to: Create.self) }
    descriptor = found?(name, 0) ?? -1
    path = "/proc/\(getpid())/fd/\(descriptor)"
  }

  init() {
    isInMemory = false
    var template = Array("/tmp/ext4-test-XXXXXX".utf8CString)
    descriptor = template.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.map { mkstemp($0) } ?? -1
    }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    close(descriptor)
    if !isInMemory { unlink(path) }
  }

  struct WriteFailed: Error {}

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
    guard offset % 4096 == 0, bytes.count % 4096 == 0 else { throw WriteFailed() }
    if offset < end || !isZero(bytes) {
      guard pwrite(descriptor, bytes.baseAddress, bytes.count, offset) == bytes.count else {
        throw WriteFailed()
      }
    }
    end = max(end, offset + bytes.count)
  }

  /// Whether the first byte is zero and each equals the one before it.
  private func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let start = bytes.baseAddress else { return true }
    return bytes[0] == 0 && memcmp(start, start + 1, bytes.count - 1) == 0
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
