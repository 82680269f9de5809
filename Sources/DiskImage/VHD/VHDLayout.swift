/// A fixed Virtual Hard Disk: the disk's bytes, then the footer.
struct FixedVHDLayout: PlainLayout {
  static let needsIdentity = true

  func place(_ cluster: Int) -> Int { cluster * clusterSize }

  func finish(
    virtualSize: Int, identity: ContentIdentity, to output: ImageOutput
  ) throws(DiskImageError) {
    // First cut the last cluster, whose rest is zeros that the footer takes the place of.
    try output.resize(to: virtualSize)
    let footer = VHDFooter(
      kind: .fixed, virtualSize: virtualSize,
      identifier: identity.guid(0, virtualSize: virtualSize))
    try output.write(footer.bytes, at: virtualSize)
    try output.resize(to: virtualSize + VHDFooter.size)
  }
}

/// A dynamic Virtual Hard Disk: blocks of 2 MiB in the order in which they are first written to.
///
/// Before them stands the table, for which the room that the largest disk needs is kept, as the
/// disk's size is known last; what it doesn't need is a hole.
struct VHDLayout: PlainLayout {
  static let needsIdentity = true

  private static let blockSize = 2 << 20
  private static let clustersPerBlock = blockSize / clusterSize
  /// A bit for each sector of the block, before its data.
  private static let bitmapSize = blockSize / 512 / 8
  private static let tableOffset = VHDFooter.size + VHDDynamicHeader.size
  private static let firstBlock =
    tableOffset + roundUp(DiskFormat.vhd.largestDisk / blockSize * 4, to: 512)

  private var blocks = BlockOrder()

  private static func offset(of position: Int) -> Int {
    firstBlock + position * (bitmapSize + blockSize)
  }

  mutating func place(_ cluster: Int) -> Int {
    let (block, within) = cluster.quotientAndRemainder(dividingBy: Self.clustersPerBlock)
    return Self.offset(of: blocks.position(of: block)) + Self.bitmapSize + within * clusterSize
  }

  func finish(
    virtualSize: Int, identity: ContentIdentity, to output: ImageOutput
  ) throws(DiskImageError) {
    let count = (virtualSize + Self.blockSize - 1) / Self.blockSize
    var table = [UInt32](repeating: .max, count: count)
    // Every sector of a block that is there counts as written: what wasn't is zeros.
    let bitmap = [UInt8](repeating: 0xff, count: Self.bitmapSize)
    for (position, block) in blocks.inOrder.enumerated() {
      let offset = Self.offset(of: position)
      try output.write(bitmap, at: offset)
      table[block] = UInt32(offset / 512)
    }
    var bytes = ByteBuilder()
    table.forEach { bytes.big($0) }
    bytes.pad(to: roundUp(count * 4, to: 512))
    try output.write(bytes.bytes, at: Self.tableOffset)
    let end = Self.offset(of: blocks.inOrder.count)
    let footer = VHDFooter(
      kind: .dynamic, virtualSize: virtualSize,
      identifier: identity.guid(0, virtualSize: virtualSize)
    ).bytes
    let header = VHDDynamicHeader(
      tableOffset: Self.tableOffset, tableCount: count, blockSize: Self.blockSize)
    try output.write(footer, at: end)
    try output.resize(to: end + VHDFooter.size)
    try output.write(footer + header.bytes, at: 0)
  }
}
