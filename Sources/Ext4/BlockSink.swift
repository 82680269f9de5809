/// Where a file system's bytes go: a disk image, a partition of one, a file, memory.
public protocol BlockSink {
  /// Takes bytes for an offset from the file system's start.
  ///
  /// Whole blocks of 4,096 bytes come at multiples of that, in any order, mostly ascending; a
  /// block may come twice, and the later one counts. What never comes must read as zeros.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws
}
