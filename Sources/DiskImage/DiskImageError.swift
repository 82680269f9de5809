public import SystemIO

/// What can go wrong while a disk image is written or inspected.
public enum DiskImageError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The host refused a write; `imageBytes` of the image had been written before.
  case writeFailed(SystemError, imageBytes: Int)
  /// The host refused a read.
  case readFailed(SystemError)
  /// Bytes at `offset` of the guest's disk were written before; each byte is written once.
  case writtenTwice(file: String, offset: Int)
  /// An offset or a size is outside what the format holds.
  case outOfRange(file: String, what: String, value: Int)
  /// A compressor could not be made or failed; never a matter of the data.
  case compressorFailed(file: String, reason: String)
  /// The file is not the format it was said to be, or is damaged there.
  case malformed(file: String, format: DiskFormat, reason: String)
  /// Bytes were asked for that lie outside the guest's disk.
  case outOfReach(file: String, offset: Int, count: Int)
  /// The image leans on another file, is encrypted or needs a feature that is refused.
  case refused(file: String, reason: String)
  /// It is no image, or of a format that isn't for this.
  case unsuitable(file: String, reason: String)
  /// The partitions cannot be laid out.
  case badPartitionTable(reason: String)

  /// The sentence for the user: operation, object, value and the way on.
  public var description: String {
    switch self {
    case .writeFailed(let error, let bytes) where error.isOutOfSpace:
      return "\(error) after \(bytes) bytes of the image; free space there or write elsewhere"
    case .writeFailed(let error, let bytes):
      return "\(error) after \(bytes) bytes of the image"
    case .readFailed(let error):
      return "\(error)"
    case .writtenTwice(let file, let offset):
      return "cannot write \(file): offset \(offset) of the disk was written before"
    case .outOfRange(let file, let what, let value):
      return "cannot write \(file): \(what) \(value) is out of range"
    case .compressorFailed(let file, let reason):
      return "cannot compress \(file): \(reason)"
    case .malformed(let file, let format, let reason):
      return
        "cannot read \(file) as \(format.rawValue): \(reason); check the format and the download"
    case .outOfReach(let file, let offset, let count):
      return "cannot read \(file): \(count) bytes at offset \(offset) are beyond the disk's end"
    case .refused(let file, let reason):
      return "cannot use \(file): \(reason); convert it into a plain image on a host that trusts it"
    case .unsuitable(let file, let reason):
      return "cannot use \(file): \(reason)"
    case .badPartitionTable(let reason):
      return "cannot lay out the partitions: \(reason)"
    }
  }
}
