/// The header of a VMDK that holds its own data, streamOptimized or monolithicSparse, and the
/// description in it; every field is checked before it is used.
struct VMDKHeader: ImageHeader {
  let inspection: DiskInspection
  private let input: ImageInput
  private let grainSize: Int
  private let tableCount: Int
  private let directoryOffset: Int
  private let isCompressed: Bool
  private let hasZeroGrains: Bool

  /// What QEMU takes at most: 1 MiB.
  private static let largestDescription = 1 << 20

  init(_ input: ImageInput) throws(DiskImageError) {
    self.input = input
    var fields = try ImageFields(
      input, at: 0, count: min(VMDKFormat.sector, input.size), "the header")
    guard try fields.little(UInt32.self, at: 0, "magic") == VMDKFormat.magic else {
      // A description alone names other files, perhaps of the host (CVE-2022-47951).
      throw fields.has("# Disk Desc", at: 0)
        ? input.refused("it is a description that names other files")
        : input.malformed("the file doesn't begin as a sparse VMDK does")
    }
    let descriptionAt = try Self.sectors(fields, at: 28, "description's offset")
    let descriptionSize = try Self.sectors(fields, at: 36, "description's size")
    if try fields.little(UInt64.self, at: 56, "directory's offset") == VMDKFormat.directoryAtEnd {
      fields = try Self.footer(input)
    }
    let version = try fields.little(UInt32.self, at: 4, "version")
    guard (1...3).contains(version) else { throw fields.malformed("version", version, at: 4) }
    let flags = try fields.little(UInt32.self, at: 8, "flags")
    isCompressed = flags & VMDKFormat.compressed != 0
    hasZeroGrains = flags & VMDKFormat.zeroGrains != 0
    let algorithm = try fields.little(UInt16.self, at: 77, "compression")
    guard algorithm == (isCompressed ? 1 : 0) else {
      throw fields.malformed("compression", algorithm, at: 77)
    }
    if flags & VMDKFormat.detectsNewlines != 0,
      Array(fields.bytes[73..<77]) != [0x0a, 0x20, 0x0d, 0x0a]
    {
      throw input.malformed("it was changed as if it were text (bytes 73 to 76)")
    }
    let virtualSize = try Self.sectors(fields, at: 12, "capacity")
    guard virtualSize <= DiskFormat.vmdk.largestDisk else {
      throw fields.malformed("capacity", virtualSize, at: 12)
    }
    grainSize = try Self.sectors(fields, at: 20, "grain's size")
    guard grainSize.nonzeroBitCount == 1, (4096...1 << 20).contains(grainSize) else {
      throw fields.malformed("grain's size", grainSize, at: 20)
    }
    let count = try fields.little(UInt32.self, at: 44, "table's size")
    guard (1...UInt32(VMDKFormat.tableCount)).contains(count) else {
      throw fields.malformed("table's size", count, at: 44)
    }
    tableCount = Int(count)
    directoryOffset = try Self.sectors(fields, at: 56, "directory's offset")
    var found = DiskInspection(
      format: .vmdk, virtualSize: virtualSize, fileSize: input.size)
    found.version = Int(version)
    found.unit = grainSize
    found.isDirty = try fields.little(UInt8.self, at: 72, "state") != 0
    guard descriptionAt > 0, (1...Self.largestDescription).contains(descriptionSize) else {
      throw input.refused("it is a part of a disk, with no description in it")
    }
    let text = try input.bytes(at: descriptionAt, count: descriptionSize, "the description")
    try VMDKDescription(text, input).describe(&found)
    inspection = found
  }

  /// A field in sectors as bytes.
  private static func sectors(
    _ fields: ImageFields, at place: Int, _ name: String
  ) throws(DiskImageError) -> Int {
    let value = try fields.little(UInt64.self, at: place, name)
    // 2^48 sectors is far beyond every disk, and sums of such can't overflow.
    guard value < 1 << 48 else { throw fields.malformed(name, value, at: place) }
    return Int(value) * VMDKFormat.sector
  }

  /// The footer of a streamed disk: a marker, the header again, the stream's end.
  private static func footer(_ input: ImageInput) throws(DiskImageError) -> ImageFields {
    let offset = input.size - 2 * VMDKFormat.sector
    let footer = try ImageFields(input, at: offset, count: VMDKFormat.sector, "the footer")
    let marker = try ImageFields(
      input, at: offset - VMDKFormat.sector, count: VMDKFormat.sector, "the footer's marker")
    guard try footer.little(UInt32.self, at: 0, "magic") == VMDKFormat.magic,
      try marker.little(UInt32.self, at: 12, "type") == VMDKFormat.Marker.footer.rawValue
    else { throw input.malformed("there is no footer at offset \(offset): is the file whole?") }
    return footer
  }

  func makeMap() throws(DiskImageError) -> any DiskMap {
    let reach = grainSize * tableCount
    let size = (inspection.virtualSize + reach - 1) / reach * 4
    guard directoryOffset > 0, directoryOffset <= input.size - size else {
      throw input.malformed(
        "its grain directory of \(size) bytes at offset \(directoryOffset) is beyond the file's "
          + "end at \(input.size)")
    }
    return VMDKMap(
      input, grainSize: grainSize, tableCount: tableCount, directoryOffset: directoryOffset,
      isCompressed: isCompressed, hasZeroGrains: hasZeroGrains)
  }
}

/// The text in a VMDK that says what kind it is and what it leans on.
struct VMDKDescription {
  private let lines: [Substring]
  private let input: ImageInput

  init(_ bytes: [UInt8], _ input: ImageInput) {
    lines = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      .split(whereSeparator: \.isNewline)
    self.input = input
  }

  /// Puts what it says into an inspection.
  ///
  /// - Throws: `refused` where the disk is of another kind than one file.
  func describe(_ inspection: inout DiskInspection) throws(DiskImageError) {
    let kind = value(of: "createType") ?? ""
    guard ["streamOptimized", "monolithicSparse"].contains(kind) else {
      throw input.refused("it is of the kind \(kind.debugDescription), which may lie in many files")
    }
    inspection.variant = kind
    if let parent = value(of: "parentFileNameHint") {
      inspection.backingFile = Array(parent.utf8)
    } else if let parent = value(of: "parentCID"), parent.lowercased() != "ffffffff" {
      inspection.backingFile = Array("the disk with the CID \(parent)".utf8)
    }
    inspection.isEncrypted = value(of: "encryption.keySafe") != nil
    let extents = lines.filter { line in
      ["RW ", "RDONLY ", "NOACCESS "].contains { line.hasPrefix($0) }
    }
    let sparse = extents.filter { $0.split(separator: " ").dropFirst(2).first == "SPARSE" }
    guard extents.count == 1, sparse.count == 1 else {
      throw input.refused("it has \(extents.count) extents, and not one that is in it")
    }
  }

  private func value(of name: String) -> String? {
    for line in lines {
      let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, trimmed(parts[0]).lowercased() == name.lowercased() else { continue }
      return String(trimmed(parts[1]).drop { $0 == "\"" }.prefix { $0 != "\"" })
    }
    return nil
  }

  private func trimmed(_ text: Substring) -> Substring {
    var text = text.drop { $0.isWhitespace }
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }
}
