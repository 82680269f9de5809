/// A qcow2 header from a file that may be hostile: every field is checked before it is used.
struct Qcow2Header: ImageHeader {
  private(set) var inspection: DiskInspection
  private let input: ImageInput
  private let clusterBits: Int
  private let level1Offset: Int
  private let level1Count: Int

  /// What QEMU allows a level-1 table to have, in entries.
  private static let level1Limit = (32 << 20) / 8

  init(_ input: ImageInput) throws(DiskImageError) {
    self.input = input
    let fields = try ImageFields(
      input, at: 0, count: min(input.size, 1 << 16), "the header")
    guard try fields.big(UInt32.self, at: 0, "magic") == Qcow2Magic.magic else {
      throw input.malformed("the file doesn't begin as qcow2 does")
    }
    let version = try fields.big(UInt32.self, at: 4, "version")
    guard version == 2 || version == 3 else { throw fields.malformed("version", version, at: 4) }
    let bits = try fields.big(UInt32.self, at: 20, "cluster bits")
    guard (9...21).contains(bits) else { throw fields.malformed("cluster bits", bits, at: 20) }
    clusterBits = Int(bits)
    let rawSize = try fields.big(UInt64.self, at: 24, "size")
    guard let virtualSize = Int(exactly: rawSize), virtualSize <= largestDisk else {
      throw fields.malformed("disk's size", rawSize, at: 24)
    }
    let count = try fields.big(UInt32.self, at: 36, "level-1 size")
    guard count <= Self.level1Limit else { throw fields.malformed("level-1 size", count, at: 36) }
    level1Count = Int(count)
    let offset = try fields.big(UInt64.self, at: 40, "level-1 offset")
    guard let start = Int(exactly: offset), start % (1 << bits) == 0 else {
      throw fields.malformed("level-1 offset", offset, at: 40)
    }
    level1Offset = start
    inspection = DiskInspection(
      format: .qcow2, virtualSize: virtualSize, fileSize: input.size)
    inspection.version = Int(version)
    inspection.unit = 1 << bits
    inspection.isEncrypted = try fields.big(UInt32.self, at: 32, "encryption") != 0
    inspection.snapshots = Int(try fields.big(UInt32.self, at: 60, "snapshots"))
    let extensions = try readFeatures(fields)
    let end = try readBackingFile(fields) ?? fields.bytes.count
    try readExtensions(fields, extensions..<max(extensions, min(end, 1 << bits)))
  }

  /// Reads the features of version 3 and answers where the header ends.
  private mutating func readFeatures(_ fields: ImageFields) throws(DiskImageError) -> Int {
    if inspection.version == 2 { return 72 }
    let features = try fields.big(UInt64.self, at: 72, "features")
    inspection.incompatibleFeatures = features
    inspection.isDirty = features & Qcow2Magic.dirtyBit != 0
    inspection.isCorrupt = features & Qcow2Magic.corruptBit != 0
    inspection.hasExternalDataFile = features & Qcow2Magic.externalDataBit != 0
    let length = Int(try fields.big(UInt32.self, at: 100, "header length"))
    guard length >= 104, length % 8 == 0, length <= 1 << clusterBits else {
      throw fields.malformed("header length", length, at: 100)
    }
    if features & Qcow2Magic.compressionTypeBit != 0 {
      let type = try fields.big(UInt8.self, at: 104, "compression type")
      guard type <= 1, length >= 112 else {
        throw fields.malformed("compression type", type, at: 104)
      }
      inspection.variant = type == 1 ? "zstd" : "zlib"
    } else {
      inspection.variant = "zlib"
    }
    return length
  }

  /// Reads the backing file's name, where there is one, and answers where it stands.
  private mutating func readBackingFile(_ fields: ImageFields) throws(DiskImageError) -> Int? {
    let offset = try fields.big(UInt64.self, at: 8, "backing file offset")
    if offset == 0 { return nil }
    let length = Int(try fields.big(UInt32.self, at: 16, "backing file length"))
    guard let start = Int(exactly: offset), length <= 1023, start <= fields.bytes.count - length
    else { throw fields.malformed("backing file offset", offset, at: 8) }
    inspection.backingFile = Array(fields.bytes[start..<start + length])
    return start
  }

  private mutating func readExtensions(
    _ fields: ImageFields, _ range: Range<Int>
  ) throws(DiskImageError) {
    var position = range.lowerBound
    // A file may also end with its header.
    while position <= min(range.upperBound, fields.bytes.count) - 8 {
      let kind = try fields.big(UInt32.self, at: position, "extension")
      let length = try fields.big(UInt32.self, at: position + 4, "extension length")
      if kind == 0 { return }
      position += 8
      guard Int(length) <= fields.bytes.count - position else {
        throw fields.malformed("header extension's length", length, at: position - 4)
      }
      switch kind {
      case Qcow2Magic.backingFormat:
        inspection.backingFormat = Array(fields.bytes[position..<position + Int(length)])
      case Qcow2Magic.externalDataFile:
        inspection.hasExternalDataFile = true
      default: break
      }
      position = roundUp(position + Int(length), to: 8)
    }
  }

  func makeMap() throws(DiskImageError) -> any DiskMap {
    guard inspection.incompatibleFeatures & Qcow2Magic.extendedEntriesBit == 0 else {
      throw input.refused("it has subclusters (extended level-2 entries)")
    }
    let reach = 1 << (2 * clusterBits - 3)
    guard level1Count >= (inspection.virtualSize + reach - 1) / reach else {
      throw input.malformed(
        "its level-1 table of \(level1Count) entries is too small for a disk of "
          + "\(inspection.virtualSize) bytes")
    }
    guard level1Offset <= input.size - level1Count * 8 else {
      throw input.malformed(
        "its level-1 table of \(level1Count) entries at offset \(level1Offset) is beyond the file's "
          + "end at \(input.size)")
    }
    return Qcow2Map(
      input, clusterBits: clusterBits, level1Offset: level1Offset,
      isVersion2: inspection.version == 2,
      compression: inspection.variant == "zstd" ? .zstd : .deflate)
  }
}
