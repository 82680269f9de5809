/// The two levels of tables in a qcow2 image (docs/interop/qcow2.txt, "Cluster mapping").
struct Qcow2Map: DiskMap {
  let unit: Int
  private let input: ImageInput
  private let clusterBits: Int
  private let level1Offset: Int
  private let isVersion2: Bool
  private let compression: Decompression
  private let level1: ImageTable
  private let level2: ImageTable

  /// Bits 9 to 55 of an entry: an offset in the file.
  private static let offsetBits: UInt64 = 0x00ff_ffff_ffff_fe00
  private static let copied: UInt64 = 1 << 63
  private static let compressed: UInt64 = 1 << 62

  init(
    _ input: ImageInput, clusterBits: Int, level1Offset: Int, isVersion2: Bool,
    compression: Decompression
  ) {
    self.input = input
    self.clusterBits = clusterBits
    self.level1Offset = level1Offset
    self.isVersion2 = isVersion2
    self.compression = compression
    unit = 1 << clusterBits
    level1 = ImageTable(input, "the level-1 table")
    level2 = ImageTable(input, "a level-2 table")
  }

  func locate(_ index: Int) throws(DiskImageError) -> DiskLocation {
    let perTable = unit / 8
    let place = level1Offset + index / perTable * 8
    let pointer = try level1.big(UInt64.self, at: place)
    guard pointer & ~(Self.offsetBits | Self.copied) == 0 else {
      throw malformed(pointer, "level-1", at: place)
    }
    let table = Int(pointer & Self.offsetBits)
    if table == 0 { return .hole(units: perTable - index % perTable) }
    guard table % unit == 0 else { throw malformed(pointer, "level-1", at: place) }
    let entryPlace = table + index % perTable * 8
    return try decode(try level2.big(UInt64.self, at: entryPlace), at: entryPlace)
  }

  private func decode(_ entry: UInt64, at place: Int) throws(DiskImageError) -> DiskLocation {
    if entry & Self.compressed != 0 {
      let offsetWidth = UInt64(62 - (clusterBits - 8))
      let offset = Int(entry & (1 << offsetWidth - 1))
      let sectors = Int((entry & (Self.compressed - 1)) >> offsetWidth) + 1
      guard offset > 0 else { throw malformed(entry, "level-2", at: place) }
      return .compressed(at: offset, size: sectors * 512 - offset % 512, compression)
    }
    guard entry & ~(Self.offsetBits | Self.copied | 1) == 0, !(isVersion2 && entry & 1 == 1) else {
      throw malformed(entry, "level-2", at: place)
    }
    let offset = Int(entry & Self.offsetBits)
    guard offset % unit == 0 else { throw malformed(entry, "level-2", at: place) }
    // Bit 0: reads as zeros, whatever is there.
    return offset == 0 || entry & 1 == 1 ? .hole(units: 1) : .plain(at: offset)
  }

  private func malformed(_ entry: UInt64, _ table: String, at place: Int) -> DiskImageError {
    input.malformed("the \(table) entry at offset \(place) is 0x\(String(entry, radix: 16))")
  }
}
