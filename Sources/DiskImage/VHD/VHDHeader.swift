/// The footer and, where it is dynamic, the header of a Virtual Hard Disk, checked.
struct VHDHeader: ImageHeader {
  let inspection: DiskInspection
  private let input: ImageInput
  private var table = Table()

  /// What the header of a dynamic disk says of its table.
  private struct Table {
    var offset = 0
    var count = 0
    var blockSize = 0
  }

  init(_ input: ImageInput) throws(DiskImageError) {
    self.input = input
    guard input.size >= VHDFooter.size else {
      throw input.malformed("it has \(input.size) bytes, which is less than a footer")
    }
    let footer = try ImageFields(
      input, at: input.size - VHDFooter.size, count: VHDFooter.size, "the footer")
    guard footer.has(VHDFooter.cookie, at: 0) else {
      throw input.malformed("there is no footer at its end: is the file whole?")
    }
    try Self.check(footer, checksumAt: 64)
    let version = try footer.big(UInt32.self, at: 12, "version")
    guard version >> 16 == 1 else { throw footer.malformed("version", version, at: 12) }
    let rawSize = try footer.big(UInt64.self, at: 48, "size")
    guard rawSize <= UInt64(DiskFormat.vhd.largestDisk), rawSize % 512 == 0 else {
      throw footer.malformed("disk's size", rawSize, at: 48)
    }
    let rawKind = try footer.big(UInt32.self, at: 60, "type")
    guard let kind = VHDFooter.Kind(rawValue: rawKind) else {
      throw footer.malformed("disk's type", rawKind, at: 60)
    }
    var found = DiskInspection(
      format: input.format, virtualSize: Int(rawSize), fileSize: input.size)
    found.version = 1
    found.variant = "\(kind)"
    switch kind {
    case .fixed:
      guard found.virtualSize <= input.size - VHDFooter.size else {
        throw footer.malformed("disk's size", rawSize, at: 48)
      }
    case .differencing: found.backingFile = Array("the disk it differs from".utf8)
    case .dynamic:
      guard input.format == .vhd else {
        throw input.malformed("it is dynamic; its format is vhd")
      }
      table = try Self.readTable(input, try footer.big(UInt64.self, at: 16, "header's offset"))
      found.unit = table.blockSize
      guard table.count >= (found.virtualSize + table.blockSize - 1) / table.blockSize else {
        throw input.malformed(
          "its table of \(table.count) blocks is too small for a disk of \(rawSize) bytes")
      }
    }
    inspection = found
  }

  private static func readTable(
    _ input: ImageInput, _ rawOffset: UInt64
  ) throws(DiskImageError) -> Table {
    guard let offset = Int(exactly: rawOffset) else {
      throw input.malformed("its header's offset is \(rawOffset)")
    }
    let header = try ImageFields(
      input, at: offset, count: VHDDynamicHeader.size, "the dynamic header")
    guard header.has(VHDDynamicHeader.cookie, at: 0) else {
      throw input.malformed("there is no dynamic header at offset \(offset)")
    }
    try check(header, checksumAt: 36)
    let count = Int(try header.big(UInt32.self, at: 28, "table's size"))
    let place = try header.big(UInt64.self, at: 16, "table's offset")
    guard place % 4 == 0, let start = Int(exactly: place), start <= input.size - count * 4
    else { throw header.malformed("table's offset", place, at: 16) }
    let size = try header.big(UInt32.self, at: 32, "block's size")
    guard size.nonzeroBitCount == 1, (4096...1 << 28).contains(size) else {
      throw header.malformed("block's size", size, at: 32)
    }
    return Table(offset: start, count: count, blockSize: Int(size))
  }

  private static func check(_ fields: ImageFields, checksumAt place: Int) throws(DiskImageError) {
    var bytes = fields.bytes
    bytes.replaceSubrange(place..<place + 4, with: [0, 0, 0, 0])
    let said = try fields.big(UInt32.self, at: place, "checksum")
    guard VHDFooter.checksum(bytes) == said else {
      throw fields.malformed("checksum", said, at: place)
    }
  }

  func makeMap() -> any DiskMap {
    if table.count == 0 { return PlainMap(input: input, size: inspection.virtualSize) }
    return VHDMap(input, tableOffset: table.offset, blockSize: table.blockSize)
  }
}

/// The block allocation table of a dynamic Virtual Hard Disk.
///
/// The bitmaps before the blocks aren't looked at: without a parent disk, sectors that were never
/// written hold zeros in the file.
struct VHDMap: DiskMap {
  let unit: Int
  private let tableOffset: Int
  private let bitmapSize: Int
  private let table: ImageTable

  init(_ input: ImageInput, tableOffset: Int, blockSize: Int) {
    unit = blockSize
    self.tableOffset = tableOffset
    bitmapSize = roundUp(blockSize / 512 / 8, to: 512)
    table = ImageTable(input, "the block table")
  }

  func locate(_ index: Int) throws(DiskImageError) -> DiskLocation {
    let sector = try table.big(UInt32.self, at: tableOffset + index * 4)
    return sector == .max ? .hole(units: 1) : .plain(at: Int(sector) * 512 + bitmapSize)
  }
}
