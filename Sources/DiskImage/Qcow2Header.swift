/// A qcow2 header from a file that may be hostile: every field is checked before it is used.
struct Qcow2Header {
  let bytes: [UInt8]
  let file: String

  func inspection(fileSize: Int) throws(DiskImageError) -> DiskInspection {
    guard try field(UInt32.self, at: 0, "magic") == Qcow2Magic.magic else {
      throw malformed("the file doesn't begin as qcow2 does")
    }
    let version = try field(UInt32.self, at: 4, "version")
    guard version == 2 || version == 3 else { throw malformed("version \(version) is unknown") }
    let bits = try field(UInt32.self, at: 20, "cluster bits")
    guard (9...21).contains(bits) else { throw malformed("a cluster of 2^\(bits) bytes") }
    let rawSize = try field(UInt64.self, at: 24, "size")
    guard let virtualSize = Int(exactly: rawSize), virtualSize <= largestDisk else {
      throw malformed("a disk of \(rawSize) bytes")
    }
    var result = DiskInspection(format: .qcow2, virtualSize: virtualSize, fileSize: fileSize)
    result.version = Int(version)
    result.isEncrypted = try field(UInt32.self, at: 32, "encryption") != 0
    result.snapshots = Int(try field(UInt32.self, at: 60, "snapshots"))
    var headerLength = 72
    if version == 3 {
      headerLength = Int(try field(UInt32.self, at: 100, "header length"))
      guard headerLength >= 104, headerLength % 8 == 0, headerLength <= 1 << bits else {
        throw malformed("a header of \(headerLength) bytes")
      }
      result.incompatibleFeatures = try field(UInt64.self, at: 72, "features")
      result.isDirty = result.incompatibleFeatures & Qcow2Magic.dirtyBit != 0
      result.isCorrupt = result.incompatibleFeatures & Qcow2Magic.corruptBit != 0
      result.hasExternalDataFile = result.incompatibleFeatures & Qcow2Magic.externalDataBit != 0
    }
    try readBackingFile(into: &result)
    try readExtensions(from: headerLength, into: &result)
    return result
  }

  private func readBackingFile(into result: inout DiskInspection) throws(DiskImageError) {
    let offset = try field(UInt64.self, at: 8, "backing file offset")
    if offset == 0 { return }
    let length = Int(try field(UInt32.self, at: 16, "backing file length"))
    guard let start = Int(exactly: offset), length <= 1023, start <= bytes.count - length else {
      throw malformed("the backing file's name lies outside the header")
    }
    result.backingFile = Array(bytes[start..<start + length])
  }

  private func readExtensions(
    from start: Int, into result: inout DiskInspection
  ) throws(DiskImageError) {
    var position = start
    // Without a backing file the extensions may go on to the first cluster's end; a file may
    // also end with its header.
    while position <= bytes.count - 8 {
      let kind = try field(UInt32.self, at: position, "extension")
      let length = Int(try field(UInt32.self, at: position + 4, "extension length"))
      if kind == 0 { return }
      position += 8
      guard length <= bytes.count - position else {
        throw malformed("a header extension of \(length) bytes")
      }
      switch kind {
      case Qcow2Magic.backingFormat:
        result.backingFormat = Array(bytes[position..<position + length])
      case Qcow2Magic.externalDataFile:
        result.hasExternalDataFile = true
      default: break
      }
      position = roundUp(position + length, to: 8)
    }
  }

  private func field<Value: FixedWidthInteger>(
    _ type: Value.Type, at offset: Int, _ name: String
  ) throws(DiskImageError) -> Value {
    if let value = bytes.big(type, at: offset) { return value }
    throw malformed("the file ends before the header's \(name)")
  }

  private func malformed(_ reason: String) -> DiskImageError {
    .malformed(file: file, reason: reason)
  }
}
