/// Entries of the level-1 and level-2 tables (docs/interop/qcow2.txt, "Cluster mapping").
enum Qcow2Entry {
  private static let copied: UInt64 = 1 << 63
  private static let compressedFlag: UInt64 = 1 << 62
  /// Where the sector count starts in a compressed entry: 62 - (cluster_bits - 8).
  private static let sectorShift = UInt64(62 - (clusterBits - 8))

  /// A cluster or table that is referred to once.
  static func owned(at offset: Int) -> UInt64 { UInt64(offset) | copied }

  /// A compressed cluster at any byte; the field counts the 512-byte sectors after the first.
  static func compressed(at offset: Int, size: Int) -> UInt64 {
    let sectors = UInt64((offset + size - 1) / 512 - offset / 512)
    return compressedFlag | sectors << sectorShift | UInt64(offset)
  }

  /// The host clusters that an entry refers to.
  static func hostClusters(_ entry: UInt64) -> ClosedRange<Int> {
    if entry & compressedFlag == 0 {
      let cluster = Int(entry & ~copied) / clusterSize
      return cluster...cluster
    }
    let offset = Int(entry & (1 << sectorShift - 1))
    let sectors = Int((entry & ~compressedFlag) >> sectorShift)
    return offset / clusterSize...(offset / 512 + sectors) * 512 / clusterSize
  }
}

/// The tables of a qcow2 file, computed when all else is in place.
struct Qcow2Metadata {
  let virtualSize: Int
  let zstd: Bool
  let backing: (file: String, format: DiskFormat)?

  /// Guest bytes that one level-2 table maps.
  private static let tableReach = clusterSize / 8 * clusterSize

  init(
    virtualSize: Int, zstd: Bool = false, backing: (file: String, format: DiskFormat)? = nil
  ) {
    self.virtualSize = virtualSize
    self.zstd = zstd
    self.backing = backing
  }

  /// Writes level-2 tables, level-1 table, reference counts and last the header.
  ///
  /// - Parameters:
  ///   - mappings: every stored cluster, each once, in any order.
  ///   - dataEnd: the first host offset after them, a multiple of the cluster size.
  func write(
    _ mappings: [Qcow2Sink.Mapping], dataEnd: Int, to output: ImageOutput
  ) throws(DiskImageError) {
    var end = dataEnd
    let level1Count = max(1, (virtualSize + Self.tableReach - 1) / Self.tableReach)
    var level1 = [UInt64](repeating: 0, count: level1Count)
    var table: [UInt64] = []
    var tableIndex = -1
    for mapping in mappings.sorted(by: { $0.cluster < $1.cluster }) {
      let index = mapping.cluster / (clusterSize / 8)
      if index != tableIndex {
        if tableIndex >= 0 { try output.write(bigEndian(table), at: end - clusterSize) }
        table = [UInt64](repeating: 0, count: clusterSize / 8)
        tableIndex = index
        level1[index] = Qcow2Entry.owned(at: end)
        end += clusterSize
      }
      table[mapping.cluster % (clusterSize / 8)] = mapping.entry
    }
    if tableIndex >= 0 { try output.write(bigEndian(table), at: end - clusterSize) }

    let level1Offset = end
    try output.write(bigEndian(level1), at: level1Offset)
    end = roundUp(end + level1Count * 8, to: clusterSize)
    let counts = try writeCounts(mappings, dataEnd: dataEnd, from: end, to: output)
    try output.resize(to: counts.end)
    try output.write(
      header(
        level1Count: level1Count, level1Offset: level1Offset,
        countTable: end, countTableClusters: counts.tableClusters), at: 0)
  }

  /// Writes the reference-count table at `start` and its blocks after it.
  private func writeCounts(
    _ mappings: [Qcow2Sink.Mapping], dataEnd: Int, from start: Int, to output: ImageOutput
  ) throws(DiskImageError) -> (end: Int, tableClusters: Int) {
    let countsPerBlock = clusterSize / 2
    let before = start / clusterSize
    // Blocks and table count themselves too, so their number is the least that holds all.
    var blocks = 1
    var tableClusters = 1
    while true {
      let all = before + tableClusters + blocks
      let needed = (all + countsPerBlock - 1) / countsPerBlock
      let neededTable = (needed * 8 + clusterSize - 1) / clusterSize
      if needed <= blocks && neededTable <= tableClusters { break }
      blocks = max(blocks, needed)
      tableClusters = max(tableClusters, neededTable)
    }
    let total = before + tableClusters + blocks
    var counts = [UInt16](repeating: 0, count: blocks * countsPerBlock)
    counts[0] = 1
    for mapping in mappings {
      for cluster in Qcow2Entry.hostClusters(mapping.entry) { counts[cluster] += 1 }
    }
    for cluster in dataEnd / clusterSize..<total { counts[cluster] = 1 }
    let firstBlock = start + tableClusters * clusterSize
    let table = (0..<blocks).map { UInt64(firstBlock + $0 * clusterSize) }
    try output.write(bigEndian(table), at: start)
    try output.write(bigEndian(counts), at: firstBlock)
    return (total * clusterSize, tableClusters)
  }

  private func header(
    level1Count: Int, level1Offset: Int, countTable: Int, countTableClusters: Int
  ) -> [UInt8] {
    var extensions = ByteBuilder()
    if let backing {
      let name = Array(backing.format.rawValue.utf8)
      extensions.big(Qcow2Magic.backingFormat)
      extensions.big(UInt32(name.count))
      extensions.append(name)
      extensions.pad(to: roundUp(extensions.bytes.count, to: 8))
    }
    extensions.big(UInt64(0))
    let backingName = backing.map { Array($0.file.utf8) } ?? []
    let backingOffset = backing == nil ? 0 : Qcow2Magic.headerLength + extensions.bytes.count

    var header = ByteBuilder()
    header.big(Qcow2Magic.magic)
    header.big(UInt32(3))
    header.big(UInt64(backingOffset))
    header.big(UInt32(backingName.count))
    header.big(UInt32(clusterBits))
    header.big(UInt64(virtualSize))
    header.big(UInt32(0))  // no encryption
    header.big(UInt32(level1Count))
    header.big(UInt64(level1Offset))
    header.big(UInt64(countTable))
    header.big(UInt32(countTableClusters))
    header.big(UInt32(0))  // no snapshots
    header.big(UInt64(0))
    header.big(zstd ? Qcow2Magic.compressionTypeBit : 0)
    header.big(UInt64(0))  // compatible
    header.big(UInt64(0))  // autoclear
    header.big(UInt32(4))  // reference counts of 16 bits
    header.big(UInt32(Qcow2Magic.headerLength))
    header.big(UInt8(zstd ? 1 : 0))
    header.pad(to: Qcow2Magic.headerLength)
    header.append(extensions.bytes)
    header.append(backingName)
    header.pad(to: clusterSize)
    return header.bytes
  }

  private func bigEndian<Value: FixedWidthInteger>(_ values: [Value]) -> [UInt8] {
    var bytes = [UInt8]()
    bytes.reserveCapacity(values.count * MemoryLayout<Value>.size)
    values.map(\.bigEndian).withUnsafeBytes { bytes += $0 }
    return bytes
  }
}

/// Constants of the qcow2 header.
enum Qcow2Magic {
  static let magic: UInt32 = 0x5146_49fb
  static let headerLength = 112
  static let backingFormat: UInt32 = 0xe279_2aca
  static let externalDataFile: UInt32 = 0x4441_5441
  static let dirtyBit: UInt64 = 1 << 0
  static let corruptBit: UInt64 = 1 << 1
  static let externalDataBit: UInt64 = 1 << 2
  static let compressionTypeBit: UInt64 = 1 << 3
  static let extendedEntriesBit: UInt64 = 1 << 4
}
