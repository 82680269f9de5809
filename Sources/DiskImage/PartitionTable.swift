internal import CZlib

/// A partition that is to be laid out.
public struct Partition: Hashable, Sendable {
  /// What it is for.
  public var type: GUID
  /// Its own identity: PARTUUID.
  public var id: GUID
  /// PARTLABEL: at most 36 UTF-16 units.
  public var name: String
  /// In bytes; rounded up to whole sectors.
  public var size: Int
  /// Attribute bits (UEFI 2.10, table 5.8): 0 required, 2 bootable by a BIOS.
  public var attributes: UInt64

  /// Describes a partition.
  public init(type: GUID, id: GUID, name: String, size: Int, attributes: UInt64 = 0) {
    self.type = type
    self.id = id
    self.name = name
    self.size = size
    self.attributes = attributes
  }
}

/// A GUID partition table (UEFI 2.10, chapter 5) over sectors of 512 bytes.
///
/// Partitions stand one after another in the order given, each at a multiple of 1 MiB.
public struct PartitionTable: Hashable, Sendable {
  /// The boundary on which partitions begin, in bytes.
  public static let alignment = 1 << 20

  /// A partition that has its place.
  public struct Placed: Hashable, Sendable {
    /// What was asked for.
    public let partition: Partition
    /// Its number from 1 on, as in `/dev/vda1`.
    public let number: Int
    /// The first byte on the disk: a multiple of the alignment where it was laid out here.
    public let offset: Int
    /// Its size in bytes, whole sectors.
    public let size: Int
  }

  /// The disk's identity.
  public let diskID: GUID
  /// The partitions in order.
  public let partitions: [Placed]
  /// The size of the whole disk in bytes, with the backup table at its end.
  public let diskSize: Int

  static let sector = 512
  private static let entryCount = 128
  private static let entrySize = 128
  private static let entrySectors = entryCount * entrySize / sector

  /// A table as it was found.
  init(found partitions: [Placed], diskID: GUID, diskSize: Int) {
    self.partitions = partitions
    self.diskID = diskID
    self.diskSize = diskSize
  }

  /// Lays partitions out.
  ///
  /// - Parameter minimumDiskSize: in bytes; more leaves room behind the last partition.
  /// - Throws: `DiskImageError.badPartitionTable`.
  public init(
    _ wanted: [Partition], diskID: GUID, minimumDiskSize: Int = 0
  ) throws(DiskImageError) {
    guard wanted.count <= Self.entryCount else {
      throw .badPartitionTable(reason: "\(wanted.count) are more than \(Self.entryCount)")
    }
    var placed: [Placed] = []
    var end = Self.alignment
    for (index, partition) in wanted.enumerated() {
      guard partition.size > 0, partition.size <= largestDisk - end else {
        throw .badPartitionTable(
          reason: "partition \(index + 1) has a size of \(partition.size) bytes")
      }
      guard partition.name.utf16.count <= 36 else {
        throw .badPartitionTable(
          reason: "the name '\(partition.name)' has more than 36 characters")
      }
      let size = roundUp(partition.size, to: Self.sector)
      placed.append(Placed(partition: partition, number: index + 1, offset: end, size: size))
      end = roundUp(end + size, to: Self.alignment)
    }
    guard Set([diskID] + wanted.map(\.id)).count == wanted.count + 1 else {
      throw .badPartitionTable(reason: "two identifiers are the same")
    }
    guard minimumDiskSize <= largestDisk else {
      throw .badPartitionTable(reason: "a disk of \(minimumDiskSize) bytes is too large")
    }
    let backup = (Self.entrySectors + 1) * Self.sector
    let last = placed.last.map { $0.offset + $0.size } ?? end
    diskSize = roundUp(max(last + backup, minimumDiskSize), to: Self.alignment)
    self.diskID = diskID
    partitions = placed
  }

  /// What is to be written where: the front with the protective MBR, and the backup at the end.
  public var pieces: [(offset: Int, bytes: [UInt8])] {
    let entries = entryBytes
    let sectors = diskSize / Self.sector
    let backupEntries = sectors - 1 - Self.entrySectors
    let front =
      protectiveMBR + header(at: 1, other: sectors - 1, entriesAt: 2, entries) + entries
    let back = entries + header(at: sectors - 1, other: 1, entriesAt: backupEntries, entries)
    return [(0, front), (backupEntries * Self.sector, back)]
  }

  private var protectiveMBR: [UInt8] {
    var mbr = ByteBuilder()
    mbr.pad(to: 446)
    mbr.append([0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff])
    mbr.little(UInt32(1))
    mbr.little(UInt32(clamping: diskSize / Self.sector - 1))
    mbr.pad(to: 510)
    mbr.append([0x55, 0xaa])
    return mbr.bytes
  }

  private var entryBytes: [UInt8] {
    var builder = ByteBuilder()
    for placed in partitions {
      let first = placed.offset / Self.sector
      builder.append(placed.partition.type.diskBytes)
      builder.append(placed.partition.id.diskBytes)
      builder.little(UInt64(first))
      builder.little(UInt64(first + placed.size / Self.sector - 1))
      builder.little(placed.partition.attributes)
      placed.partition.name.utf16.forEach { builder.little($0) }
      builder.pad(to: placed.number * Self.entrySize)
    }
    builder.pad(to: Self.entryCount * Self.entrySize)
    return builder.bytes
  }

  private func header(at own: Int, other: Int, entriesAt: Int, _ entries: [UInt8]) -> [UInt8] {
    func fields(checksum: UInt32) -> ByteBuilder {
      var header = ByteBuilder()
      header.append(Array("EFI PART".utf8))
      header.little(UInt32(0x0001_0000))
      header.little(UInt32(92))
      header.little(checksum)
      header.little(UInt32(0))
      header.little(UInt64(own))
      header.little(UInt64(other))
      header.little(UInt64(2 + Self.entrySectors))
      header.little(UInt64(diskSize / Self.sector - 2 - Self.entrySectors))
      header.append(diskID.diskBytes)
      header.little(UInt64(entriesAt))
      header.little(UInt32(Self.entryCount))
      header.little(UInt32(Self.entrySize))
      header.little(checksum32(entries))
      return header
    }
    var header = fields(checksum: checksum32(fields(checksum: 0).bytes))
    header.pad(to: Self.sector)
    return header.bytes
  }
}

/// CRC-32 as zlib and UEFI define it.
func checksum32(_ bytes: [UInt8]) -> UInt32 {
  UInt32(truncatingIfNeeded: crc32(0, bytes, UInt32(clamping: bytes.count)))
}
