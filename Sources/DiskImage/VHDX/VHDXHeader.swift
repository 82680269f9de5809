/// The headers, regions and metadata of a VHDX, checked (MS-VHDX, 2.2 to 2.6).
struct VHDXHeader: ImageHeader {
  let inspection: DiskInspection
  private let input: ImageInput
  private let tableOffset: Int
  private let tableSize: Int
  private let sectorSize: Int
  private let blockSize: Int

  init(_ input: ImageInput) throws(DiskImageError) {
    self.input = input
    guard try ImageFields(input, at: 0, count: 8, "the identifier").has("vhdxfile", at: 0) else {
      throw input.malformed("the file doesn't begin as VHDX does")
    }
    let header = try Self.currentHeader(input)
    let regions = try VHDXRegions(input)
    let metadata = try VHDXMetadata(input, at: regions.metadata)
    tableOffset = regions.table.lowerBound
    tableSize = regions.table.count
    sectorSize = metadata.sectorSize
    blockSize = metadata.blockSize
    var found = DiskInspection(
      format: .vhdx, virtualSize: metadata.virtualSize, fileSize: input.size)
    found.version = Int(try header.little(UInt16.self, at: 66, "version"))
    guard found.version == 1 else { throw header.malformed("version", found.version, at: 66) }
    found.unit = blockSize
    found.variant = metadata.isFixed ? "fixed" : "dynamic"
    // A log that is not empty holds changes that the tables don't have yet.
    found.isDirty = header.bytes[48..<64].contains { $0 != 0 }
    if metadata.hasParent { found.backingFile = Array("the disk it differs from".utf8) }
    inspection = found
  }

  /// Of the two headers the valid one that was written last.
  private static func currentHeader(_ input: ImageInput) throws(DiskImageError) -> ImageFields {
    var best: (sequence: UInt64, fields: ImageFields)?
    for offset in VHDXFormat.headerOffsets {
      let fields = try ImageFields(input, at: offset, count: VHDXFormat.headerSize, "a header")
      guard fields.has("head", at: 0),
        try fields.little(UInt32.self, at: 4, "checksum") == VHDXFormat.checksum(fields.bytes)
      else { continue }
      let sequence = try fields.little(UInt64.self, at: 8, "sequence number")
      if let best, best.sequence >= sequence { continue }
      best = (sequence, fields)
    }
    if let best { return best.fields }
    throw input.malformed("neither of its headers, at offsets 65536 and 131072, is whole")
  }

  func makeMap() throws(DiskImageError) -> any DiskMap {
    let blocks = (inspection.virtualSize + blockSize - 1) / blockSize
    let ratio = VHDXFormat.chunkRatio(blockSize: blockSize, sectorSize: sectorSize)
    let entries = blocks == 0 ? 0 : blocks + (blocks - 1) / ratio
    guard tableSize / 8 >= entries else {
      throw input.malformed(
        "its block table of \(tableSize) bytes is too small for a disk of "
          + "\(inspection.virtualSize) bytes")
    }
    return VHDXMap(input, tableOffset: tableOffset, blockSize: blockSize, chunkRatio: ratio)
  }
}

/// Where a VHDX keeps its block table and its metadata (2.2.3).
struct VHDXRegions {
  let table: Range<Int>
  let metadata: Range<Int>

  init(_ input: ImageInput) throws(DiskImageError) {
    for offset in VHDXFormat.regionTableOffsets {
      let fields = try ImageFields(
        input, at: offset, count: VHDXFormat.regionTableSize, "a region table")
      guard fields.has("regi", at: 0),
        try fields.little(UInt32.self, at: 4, "checksum") == VHDXFormat.checksum(fields.bytes)
      else { continue }
      (table, metadata) = try Self.read(fields)
      return
    }
    throw input.malformed("neither of its region tables, at 196608 and 262144, is whole")
  }

  private static func read(
    _ fields: ImageFields
  ) throws(DiskImageError) -> (table: Range<Int>, metadata: Range<Int>) {
    let count = try fields.little(UInt32.self, at: 8, "number of regions")
    guard count <= 2047 else { throw fields.malformed("number of regions", count, at: 8) }
    var table: Range<Int>?
    var metadata: Range<Int>?
    for place in stride(from: 16, to: 16 + Int(count) * 32, by: 32) {
      let id = GUID(diskBytes: Array(fields.bytes[place..<place + 16]))
      let range = try range(fields, at: place + 16)
      switch id {
      case VHDXFormat.tableRegion: table = range
      case VHDXFormat.metadataRegion: metadata = range
      default:
        if try fields.little(UInt32.self, at: place + 28, "flags") & 1 == 1 {
          throw fields.input.refused("it needs an unknown region, \(id.map(String.init) ?? "")")
        }
      }
    }
    guard let table, let metadata else {
      throw fields.input.malformed("its region table lacks the block table or the metadata")
    }
    return (table, metadata)
  }

  private static func range(
    _ fields: ImageFields, at place: Int
  ) throws(DiskImageError) -> Range<Int> {
    let offset = try fields.little(UInt64.self, at: place, "region's offset")
    let length = try fields.little(UInt32.self, at: place + 8, "region's length")
    guard let start = Int(exactly: offset), start >= VHDXFormat.unit, start <= fields.input.size,
      Int(length) <= fields.input.size - start
    else { throw fields.malformed("region's offset", offset, at: place) }
    return start..<start + Int(length)
  }
}

/// What the metadata of a VHDX say (2.6).
struct VHDXMetadata {
  private(set) var blockSize = 0
  private(set) var virtualSize = 0
  private(set) var sectorSize = 0
  private(set) var isFixed = false
  private(set) var hasParent = false

  init(_ input: ImageInput, at region: Range<Int>) throws(DiskImageError) {
    let table = try ImageFields(
      input, at: region.lowerBound, count: min(region.count, 64 << 10), "the metadata table")
    guard table.has("metadata", at: 0) else {
      throw input.malformed("there are no metadata at offset \(region.lowerBound)")
    }
    let count = try table.little(UInt16.self, at: 10, "number of items")
    guard count <= 2047, 32 + Int(count) * 32 <= table.bytes.count else {
      throw table.malformed("number of items", count, at: 10)
    }
    for place in stride(from: 32, to: 32 + Int(count) * 32, by: 32) {
      let id = GUID(diskBytes: Array(table.bytes[place..<place + 16]))
      let offset = Int(try table.little(UInt32.self, at: place + 16, "item's offset"))
      guard offset <= region.count - 8 else {
        throw table.malformed("item's offset", offset, at: place + 16)
      }
      let item = try ImageFields(
        input, at: region.lowerBound + offset, count: 8, "a metadata item")
      let isRequired = try table.little(UInt32.self, at: place + 24, "flags") & 4 != 0
      try take(id, item, isRequired: isRequired)
    }
    guard blockSize > 0, sectorSize > 0, virtualSize % sectorSize == 0 else {
      throw input.malformed("its metadata lack the size of blocks or sectors")
    }
  }

  private mutating func take(
    _ id: GUID?, _ item: ImageFields, isRequired: Bool
  ) throws(DiskImageError) {
    switch id {
    case VHDXFormat.fileParameters:
      let size = try item.little(UInt32.self, at: 0, "block's size")
      guard size.nonzeroBitCount == 1, (1 << 20...256 << 20).contains(size) else {
        throw item.malformed("block's size", size, at: 0)
      }
      blockSize = Int(size)
      let flags = try item.little(UInt32.self, at: 4, "flags")
      isFixed = flags & 1 != 0
      hasParent = flags & 2 != 0
    case VHDXFormat.virtualDiskSize:
      let size = try item.little(UInt64.self, at: 0, "disk's size")
      guard size <= UInt64(DiskFormat.vhdx.largestDisk) else {
        throw item.malformed("disk's size", size, at: 0)
      }
      virtualSize = Int(size)
    case VHDXFormat.logicalSectorSize:
      let size = try item.little(UInt32.self, at: 0, "sector's size")
      guard size == 512 || size == 4096 else { throw item.malformed("sector's size", size, at: 0) }
      sectorSize = Int(size)
    case VHDXFormat.parentLocator: hasParent = true
    case VHDXFormat.virtualDiskID, VHDXFormat.physicalSectorSize: break
    default:
      if isRequired {
        throw item.input.refused("it needs unknown metadata, \(id.map(String.init) ?? "")")
      }
    }
  }
}
