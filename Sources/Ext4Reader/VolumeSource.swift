/// Where a file system's bytes come from: a partition of a disk image, a file, memory.
public protocol VolumeSource: Sendable {
  /// Bytes there are.
  var size: Int { get }
  /// Fills the whole buffer from an offset on; called from any thread, never beyond `size`.
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws
}

extension VolumeSource {
  /// Bytes of which the caller has made sure that they lie below `size`.
  func bytes(at offset: Int, count: Int) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      try read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
      filled = count
    }
  }
}
