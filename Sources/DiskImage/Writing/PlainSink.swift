/// Where a format keeps clusters that are not compressed.
protocol PlainLayout {
  /// Whether it has identifiers to derive from the content.
  static var needsIdentity: Bool { get }

  /// The file's offset for a cluster, which has none yet.
  mutating func place(_ cluster: Int) -> Int

  /// Writes the tables around the clusters and sets the file's size.
  ///
  /// - Parameter identity: what identifiers are derived from.
  func finish(
    virtualSize: Int, identity: ContentIdentity, to output: ImageOutput
  ) throws(DiskImageError)
}

/// Puts plain clusters where a layout wants them, neighbours in one write.
final class PlainSink<Layout: PlainLayout>: ClusterSink {
  private let output: ImageOutput
  private let buffer: UnsafeMutableRawBufferPointer
  private var layout: Layout
  private var identity = ContentIdentity()
  private var start = 0
  private var used = 0

  init(_ output: ImageOutput, _ layout: Layout) {
    self.output = output
    self.layout = layout
    buffer = .allocate(byteCount: 16 * clusterSize, alignment: 4096)
  }

  deinit { buffer.deallocate() }

  func append(
    cluster: Int, _ bytes: UnsafeRawBufferPointer, compressed: Bool
  ) throws(DiskImageError) {
    if Layout.needsIdentity { identity.add(cluster, bytes) }
    let offset = layout.place(cluster)
    if used == buffer.count || offset != start + used { try flush() }
    if used == 0 { start = offset }
    UnsafeMutableRawBufferPointer(rebasing: buffer[used...]).copyMemory(from: bytes)
    used += bytes.count
  }

  func finish(virtualSize: Int) throws(DiskImageError) {
    try flush()
    try layout.finish(virtualSize: virtualSize, identity: identity, to: output)
  }

  private func flush() throws(DiskImageError) {
    if used > 0 { try output.write(UnsafeRawBufferPointer(rebasing: buffer[..<used]), at: start) }
    used = 0
  }
}

/// A raw disk: clusters stand where they stand for the guest.
struct RawLayout: PlainLayout {
  static let needsIdentity = false

  func place(_ cluster: Int) -> Int { cluster * clusterSize }

  func finish(
    virtualSize: Int, identity: ContentIdentity, to output: ImageOutput
  ) throws(DiskImageError) {
    // Cuts the last cluster where the disk ends inside it.
    try output.resize(to: virtualSize)
  }
}
