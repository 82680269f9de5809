extension PartitionTable {
  /// Reads the GUID partition table of a disk with sectors of 512 bytes.
  ///
  /// Partitions come in the order of their numbers; unused entries are left out. The backup at the
  /// disk's end is not looked at.
  ///
  /// - Throws: `DiskImageError.badPartitionTable` where there is none or it contradicts itself, and
  ///   what the reader throws.
  public static func read(from disk: DiskReader) throws(DiskImageError) -> PartitionTable {
    guard disk.size >= 34 * sector else {
      throw .badPartitionTable(reason: "a disk of \(disk.size) bytes has no room for a table")
    }
    let header = try Header(try disk.read(at: sector, count: sector))
    let entries = try disk.read(at: header.entriesOffset, count: header.entriesSize)
    guard checksum32(entries) == header.entriesChecksum else {
      throw .badPartitionTable(reason: "the checksum of its entries is wrong")
    }
    var found: [Placed] = []
    for index in 0..<header.count {
      let start = index * header.entrySize
      let entry = Array(entries[start..<start + header.entrySize])
      if let placed = try decode(entry, number: index + 1, on: disk) { found.append(placed) }
    }
    let inOrder = found.sorted { $0.offset < $1.offset }
    for (one, next) in zip(inOrder, inOrder.dropFirst()) where one.offset + one.size > next.offset {
      throw .badPartitionTable(reason: "partitions \(one.number) and \(next.number) overlap")
    }
    return PartitionTable(found: found, diskID: header.diskID, diskSize: disk.size)
  }

  private static func decode(
    _ entry: [UInt8], number: Int, on disk: DiskReader
  ) throws(DiskImageError) -> Placed? {
    if entry[..<16].allSatisfy({ $0 == 0 }) { return nil }
    guard let type = GUID(diskBytes: Array(entry[..<16])),
      let id = GUID(diskBytes: Array(entry[16..<32])),
      let first = entry.little(UInt64.self, at: 32), let last = entry.little(UInt64.self, at: 40),
      let attributes = entry.little(UInt64.self, at: 48)
    else { return nil }
    guard first >= 2, last >= first, last < UInt64(disk.size / sector) else {
      throw .badPartitionTable(
        reason: "partition \(number) goes from sector \(first) to \(last) on a disk of "
          + "\(disk.size / sector) sectors")
    }
    let units = (0..<36).compactMap { entry.little(UInt16.self, at: 56 + $0 * 2) }
    let name = String(decoding: units.prefix { $0 != 0 }, as: UTF16.self)
    let size = Int(last - first + 1) * sector
    return Placed(
      partition: Partition(type: type, id: id, name: name, size: size, attributes: attributes),
      number: number, offset: Int(first) * sector, size: size)
  }

  /// The header's fields that a reader needs, checked.
  private struct Header {
    let diskID: GUID
    let entriesOffset: Int
    let count: Int
    let entrySize: Int
    let entriesChecksum: UInt32
    var entriesSize: Int { count * entrySize }

    init(_ bytes: [UInt8]) throws(DiskImageError) {
      guard bytes.starts(with: Array("EFI PART".utf8)) else {
        throw .badPartitionTable(reason: "the disk has no GUID partition table")
      }
      guard let size = bytes.little(UInt32.self, at: 12), (92...512).contains(size),
        let checksum = bytes.little(UInt32.self, at: 16)
      else { throw .badPartitionTable(reason: "its header has an impossible size") }
      var covered = Array(bytes[..<Int(size)])
      covered.replaceSubrange(16..<20, with: [0, 0, 0, 0])
      guard checksum32(covered) == checksum else {
        throw .badPartitionTable(reason: "the checksum of its header is wrong")
      }
      guard let diskID = GUID(diskBytes: Array(bytes[56..<72])),
        let start = bytes.little(UInt64.self, at: 72), (2...1 << 40).contains(start),
        let count = bytes.little(UInt32.self, at: 80), (1...1024).contains(count),
        let entrySize = bytes.little(UInt32.self, at: 84), (128...4096).contains(entrySize),
        entrySize % 128 == 0, let entriesChecksum = bytes.little(UInt32.self, at: 88)
      else {
        throw .badPartitionTable(reason: "its header says impossible things of its entries")
      }
      self.diskID = diskID
      entriesOffset = Int(start) * PartitionTable.sector
      self.count = Int(count)
      self.entrySize = Int(entrySize)
      self.entriesChecksum = entriesChecksum
    }
  }
}
