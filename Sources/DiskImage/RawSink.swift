internal import SystemIO

/// Puts clusters where they stand on the guest's disk, neighbours in one write.
final class RawSink: ClusterSink {
  private let output: ImageOutput
  private let buffer: UnsafeMutableRawBufferPointer
  private var start = 0
  private var used = 0

  init(_ output: ImageOutput) {
    self.output = output
    buffer = .allocate(byteCount: 16 * clusterSize, alignment: 4096)
  }

  deinit { buffer.deallocate() }

  func append(
    cluster: Int, _ bytes: UnsafeRawBufferPointer, compressed: Bool
  ) throws(DiskImageError) {
    let offset = cluster * clusterSize
    if used == buffer.count || offset != start + used { try flush() }
    if used == 0 { start = offset }
    UnsafeMutableRawBufferPointer(rebasing: buffer[used...]).copyMemory(from: bytes)
    used += bytes.count
  }

  /// Writes what waits and sets the file's size.
  func finish(virtualSize: Int) throws(DiskImageError) {
    used = min(used, max(0, virtualSize - start))
    try flush()
    try output.resize(to: virtualSize)
  }

  private func flush() throws(DiskImageError) {
    if used > 0 { try output.write(UnsafeRawBufferPointer(rebasing: buffer[..<used]), at: start) }
    used = 0
  }
}
