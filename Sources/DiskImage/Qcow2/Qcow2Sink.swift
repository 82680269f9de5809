internal import SystemIO

/// Packs clusters into a qcow2 file from its second host cluster on and remembers where each is.
///
/// Compressed clusters are packed byte after byte into one region, plain ones, which must be
/// aligned, into another, so that a mix of both wastes nothing. A full region is written at the
/// next free offset in one call.
final class Qcow2Sink: ClusterSink {
  /// Where a guest cluster went: its number and its level-2 entry.
  struct Mapping {
    let cluster: Int
    let entry: UInt64
  }

  private final class Region {
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: 32 * clusterSize, alignment: 4096)
    var used = 0
    var members: [(cluster: Int, offset: Int, size: Int)] = []
    deinit { buffer.deallocate() }
  }

  private let output: ImageOutput
  private let packed = Region()
  private let plain = Region()
  /// The next free byte of the file, a multiple of the cluster size.
  private var end = clusterSize
  /// All clusters written, in no order of meaning.
  private var mappings: [Mapping] = []

  private let zstd: Bool

  init(_ output: ImageOutput, zstd: Bool) {
    self.output = output
    self.zstd = zstd
  }

  func append(
    cluster: Int, _ bytes: UnsafeRawBufferPointer, compressed: Bool
  ) throws(DiskImageError) {
    let region = compressed ? packed : plain
    if region.buffer.count - region.used < bytes.count { try flush(region, compressed) }
    let rest = UnsafeMutableRawBufferPointer(rebasing: region.buffer[region.used...])
    rest.copyMemory(from: bytes)
    region.members.append((cluster, region.used, bytes.count))
    region.used += bytes.count
  }

  func finish(virtualSize: Int) throws(DiskImageError) {
    try flush(plain, false)
    try flush(packed, true)
    try Qcow2Metadata(virtualSize: virtualSize, zstd: zstd)
      .write(mappings, dataEnd: end, to: output)
  }

  private func flush(_ region: Region, _ compressed: Bool) throws(DiskImageError) {
    if region.used == 0 { return }
    try output.write(UnsafeRawBufferPointer(rebasing: region.buffer[..<region.used]), at: end)
    for member in region.members {
      let offset = end + member.offset
      let entry =
        compressed
        ? Qcow2Entry.compressed(at: offset, size: member.size) : Qcow2Entry.owned(at: offset)
      mappings.append(Mapping(cluster: member.cluster, entry: entry))
    }
    end = roundUp(end + region.used, to: clusterSize)
    region.used = 0
    region.members.removeAll(keepingCapacity: true)
  }
}
