/// A dynamic VHDX: blocks of 1 MiB in the order in which they are first written to, the table of
/// blocks after them, since its size is known last.
struct VHDXLayout: PlainLayout {
  static let needsIdentity = true

  private static let blockSize = VHDXFormat.unit
  private static let clustersPerBlock = blockSize / clusterSize
  private static let logOffset = 1 << 20
  private static let metadataOffset = 2 << 20
  private static let firstBlock = 3 << 20
  private static let sectorSize = 512

  private var blocks = BlockOrder()

  mutating func place(_ cluster: Int) -> Int {
    let (block, within) = cluster.quotientAndRemainder(dividingBy: Self.clustersPerBlock)
    return Self.firstBlock + blocks.position(of: block) * Self.blockSize + within * clusterSize
  }

  func finish(
    virtualSize: Int, identity: ContentIdentity, to output: ImageOutput
  ) throws(DiskImageError) {
    let tableOffset = Self.firstBlock + blocks.inOrder.count * Self.blockSize
    let table = blockTable(virtualSize)
    let tableSize = roundUp(max(1, table.count), to: VHDXFormat.unit)
    try output.write(table, at: tableOffset)
    try output.resize(to: tableOffset + tableSize)
    try output.write(metadata(virtualSize, identity), at: Self.metadataOffset)
    let regions = regionTable(tableOffset: tableOffset, tableSize: tableSize)
    for offset in VHDXFormat.regionTableOffsets { try output.write(regions, at: offset) }
    for (index, offset) in VHDXFormat.headerOffsets.enumerated() {
      try output.write(header(sequence: UInt64(index), virtualSize, identity), at: offset)
    }
    var identifier = ByteBuilder()
    identifier.append(Array("vhdxfile".utf8))
    "ingot".utf16.forEach { identifier.little($0) }
    identifier.pad(to: 520)
    try output.write(identifier.bytes, at: 0)
  }

  private func blockTable(_ virtualSize: Int) -> [UInt8] {
    let count = (virtualSize + Self.blockSize - 1) / Self.blockSize
    let ratio = VHDXFormat.chunkRatio(blockSize: Self.blockSize, sectorSize: Self.sectorSize)
    // A place for a sector bitmap stands between chunks and stays empty without a parent.
    let entries = count == 0 ? 0 : count + (count - 1) / ratio
    var table = [UInt64](repeating: VHDXFormat.BlockState.zero.rawValue, count: entries)
    for place in stride(from: ratio, to: entries, by: ratio + 1) { table[place] = 0 }
    for (position, block) in blocks.inOrder.enumerated() {
      let offset = Self.firstBlock + position * Self.blockSize
      table[block + block / ratio] = UInt64(offset) | VHDXFormat.BlockState.fullyPresent.rawValue
    }
    var bytes = ByteBuilder()
    table.forEach { bytes.little($0) }
    return bytes.bytes
  }

  private func metadata(_ virtualSize: Int, _ identity: ContentIdentity) -> [UInt8] {
    let isVirtualDisk: UInt32 = 2
    let isRequired: UInt32 = 4
    var parameters = ByteBuilder()
    parameters.little(UInt32(Self.blockSize))
    parameters.little(UInt32(0))
    var size = ByteBuilder()
    size.little(UInt64(virtualSize))
    var sector = ByteBuilder()
    sector.little(UInt32(Self.sectorSize))
    let items: [(GUID, [UInt8], UInt32)] = [
      (VHDXFormat.fileParameters, parameters.bytes, isRequired),
      (VHDXFormat.virtualDiskSize, size.bytes, isRequired | isVirtualDisk),
      (
        VHDXFormat.virtualDiskID, identity.guid(0, virtualSize: virtualSize).diskBytes,
        isRequired | isVirtualDisk
      ),
      (VHDXFormat.logicalSectorSize, sector.bytes, isRequired | isVirtualDisk),
      (VHDXFormat.physicalSectorSize, sector.bytes, isRequired | isVirtualDisk),
    ]
    var table = ByteBuilder()
    table.append(Array("metadata".utf8))
    table.little(UInt16(0))
    table.little(UInt16(items.count))
    table.pad(to: 32)
    var values = ByteBuilder()
    for (id, value, flags) in items {
      table.append(id.diskBytes)
      // Values begin 64 KiB into the region.
      table.little(UInt32((64 << 10) + values.bytes.count))
      table.little(UInt32(value.count))
      table.little(flags)
      table.little(UInt32(0))
      values.append(value)
    }
    table.pad(to: 64 << 10)
    return table.bytes + values.bytes
  }

  private func regionTable(tableOffset: Int, tableSize: Int) -> [UInt8] {
    Self.checked(size: VHDXFormat.regionTableSize) { checksum in
      var table = ByteBuilder()
      table.append(Array("regi".utf8))
      table.little(checksum)
      table.little(UInt32(2))
      table.little(UInt32(0))
      for (id, offset, size) in [
        (VHDXFormat.tableRegion, tableOffset, tableSize),
        (VHDXFormat.metadataRegion, Self.metadataOffset, VHDXFormat.unit),
      ] {
        table.append(id.diskBytes)
        table.little(UInt64(offset))
        table.little(UInt32(size))
        table.little(UInt32(1))
      }
      return table
    }
  }

  private func header(
    sequence: UInt64, _ virtualSize: Int, _ identity: ContentIdentity
  ) -> [UInt8] {
    Self.checked(size: VHDXFormat.headerSize) { checksum in
      var header = ByteBuilder()
      header.append(Array("head".utf8))
      header.little(checksum)
      header.little(sequence)
      header.append(identity.guid(1, virtualSize: virtualSize).diskBytes)
      header.append(identity.guid(2, virtualSize: virtualSize).diskBytes)
      header.append([UInt8](repeating: 0, count: 16))  // an empty log
      header.little(UInt16(0))
      header.little(UInt16(1))
      header.little(UInt32(VHDXFormat.unit))
      header.little(UInt64(Self.logOffset))
      return header
    }
  }

  /// A structure of a size, with its checksum.
  private static func checked(size: Int, _ make: (UInt32) -> ByteBuilder) -> [UInt8] {
    func whole(_ checksum: UInt32) -> [UInt8] {
      var builder = make(checksum)
      builder.pad(to: size)
      return builder.bytes
    }
    return whole(VHDXFormat.checksum(whole(0)))
  }
}
