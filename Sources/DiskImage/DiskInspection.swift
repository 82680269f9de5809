public import SystemIO

/// What an image's header says, read without following anything it names.
public struct DiskInspection: Hashable, Sendable {
  /// The format it was read as.
  public var format: DiskFormat
  /// The guest's disk, in bytes.
  public var virtualSize: Int
  /// The file's length, in bytes.
  public var fileSize: Int
  /// The header's version, such as 2 or 3 for qcow2; 0 for raw.
  public var version: Int = 0
  /// The kind within the format, such as `streamOptimized` or `dynamic`; nil where it has none.
  public var variant: String?
  /// The unit in which it maps the disk, in bytes; nil where it doesn't.
  public var unit: Int?
  /// The file this one shows where it holds nothing itself; a name, as bytes, and never opened.
  public var backingFile: [UInt8]?
  /// The stated format of the backing file.
  public var backingFormat: [UInt8]?
  /// Whether the data are in another file.
  public var hasExternalDataFile = false
  /// Whether the clusters are encrypted.
  public var isEncrypted = false
  /// Whether it was left open by a writer that died: its tables may be wrong, or its log not empty.
  public var isDirty = false
  /// Whether QEMU found it damaged and marked it so.
  public var isCorrupt = false
  /// Internal snapshots.
  public var snapshots = 0
  /// Bits of features a reader of qcow2 must know (docs/interop/qcow2.txt, bytes 72 to 79).
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

  /// Refuses an image that a writer left open.
  public func requireClosed(file: String) throws(DiskImageError) {
    if isDirty {
      throw .refused(file: file, reason: "it is in use, or whoever wrote it last did not close it")
    }
  }
}

/// Reads an image's header as the format it is said to be.
///
/// The format is never guessed from the content, since a guest can write any header into a raw
/// disk. Nothing but headers is read.
///
/// - Throws: `malformed`, `refused` where even the header needs what is not read here, `readFailed`.
public func inspect(
  _ descriptor: Descriptor, format: DiskFormat
) throws(DiskImageError) -> DiskInspection {
  try readHeader(ImageInput(descriptor, format: format)).inspection
}
