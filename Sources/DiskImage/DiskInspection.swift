public import SystemIO

/// What an image's header says, read without following anything it names.
public struct DiskInspection: Hashable, Sendable {
  /// The format it was read as.
  public var format: DiskFormat
  /// The guest's disk, in bytes.
  public var virtualSize: Int
  /// The file's length, in bytes.
  public var fileSize: Int
  /// The header's version: 2 or 3 for qcow2, 0 for raw.
  public var version: Int = 0
  /// The file this one shows where it holds nothing itself; a name, as bytes, and never opened.
  public var backingFile: [UInt8]?
  /// The stated format of the backing file.
  public var backingFormat: [UInt8]?
  /// Whether the data are in another file.
  public var hasExternalDataFile = false
  /// Whether the clusters are encrypted.
  public var isEncrypted = false
  /// Whether it was left open by a writer that died; its reference counts may be wrong.
  public var isDirty = false
  /// Whether QEMU found it damaged and marked it so.
  public var isCorrupt = false
  /// Internal snapshots.
  public var snapshots = 0
  /// Bits of features a reader must know (docs/interop/qcow2.txt, bytes 72 to 79).
  public var incompatibleFeatures: UInt64 = 0

  /// Refuses an image from outside that reaches beyond its own file or can't be read safely.
  public func requireSelfContained(file: String) throws(DiskImageError) {
    if let backingFile {
      let name = String(decoding: backingFile, as: UTF8.self).debugDescription
      throw .refused(file: file, reason: "it has a backing file, \(name)")
    }
    if hasExternalDataFile {
      throw .refused(file: file, reason: "its data are in another file")
    }
    if isEncrypted { throw .refused(file: file, reason: "it is encrypted") }
    if isCorrupt { throw .refused(file: file, reason: "it is marked as corrupt") }
    let known =
      Qcow2Magic.dirtyBit | Qcow2Magic.compressionTypeBit | Qcow2Magic.extendedEntriesBit
    let unknown = incompatibleFeatures & ~known
    if unknown != 0 {
      throw .refused(
        file: file, reason: "it needs unknown features, bits 0x\(String(unknown, radix: 16))")
    }
  }
}

/// Reads an image's header as the format it is said to be.
///
/// The format is never guessed from the content, since a guest can write any header into a raw
/// disk. Nothing but the file's first cluster is read.
///
/// - Throws: `malformed`, `readFailed`.
public func inspect(
  _ descriptor: Descriptor, format: DiskFormat
) throws(DiskImageError) -> DiskInspection {
  let file = descriptor.name
  let size: Int
  var header: [UInt8] = []
  do {
    size = try descriptor.size()
    if format == .raw { return DiskInspection(format: .raw, virtualSize: size, fileSize: size) }
    header = try readStart(descriptor, limit: clusterSize)
  } catch {
    throw .readFailed(error)
  }
  return try Qcow2Header(bytes: header, file: file).inspection(fileSize: size)
}

private func readStart(
  _ descriptor: Descriptor, limit: Int
) throws(SystemError) -> [UInt8] {
  let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: limit, alignment: 16)
  defer { buffer.deallocate() }
  var done = 0
  while done < limit {
    let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
    let count = try descriptor.read(into: rest, at: done)
    if count == 0 { break }
    done += count
  }
  return Array(buffer[..<done])
}
