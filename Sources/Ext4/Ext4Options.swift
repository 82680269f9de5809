internal import FileTree

/// The 16 bytes that name a file system.
public struct FileSystemUUID: Hashable, Sendable, CustomStringConvertible {
  /// The bytes in the order they are written; 16 of them.
  public let bytes: [UInt8]

  /// Takes 16 bytes; nil for any other number.
  public init?(bytes: [UInt8]) {
    guard bytes.count == 16 else { return nil }
    self.bytes = bytes
  }

  /// Reads the usual form of 36 characters: `01234567-89ab-cdef-0123-456789abcdef`.
  public init?(_ text: String) {
    let units = Array(text.utf8)
    guard units.count == 36 else { return nil }
    var nibbles: [UInt8] = []
    for (index, unit) in units.enumerated() {
      if [8, 13, 18, 23].contains(index) {
        guard unit == UInt8(ascii: "-") else { return nil }
      } else {
        guard let digit = Character(Unicode.Scalar(unit)).hexDigitValue else { return nil }
        nibbles.append(UInt8(digit))
      }
    }
    bytes = stride(from: 0, to: 32, by: 2).map { nibbles[$0] << 4 | nibbles[$0 + 1] }
  }

  /// The usual form of 36 characters.
  public var description: String {
    let digits = Array("0123456789abcdef")
    var text = ""
    for (index, byte) in bytes.enumerated() {
      if [4, 6, 8, 10].contains(index) { text.append("-") }
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return text
  }
}

/// How big a file system becomes.
public enum Ext4Size: Hashable, Sendable {
  /// As big as the content needs, and this many bytes free beside it.
  case fitting(free: UInt64)
  /// This many bytes, rounded down to what a file system can have.
  case exactly(UInt64)
}

/// All that decides a file system's bytes beside the tree; nothing else does.
public struct Ext4Options: Hashable, Sendable {
  /// The features; `standard` unless the guest's own tools are older.
  public var profile = Ext4Profile.standard
  /// The file system's name for fstab and boot loaders.
  public var uuid: FileSystemUUID
  /// The seed of directory hashes; secret enough where it comes from the same place as `uuid`.
  public var hashSeed: FileSystemUUID
  /// The label: up to 16 bytes; empty for none.
  public var label: [UInt8] = []
  /// When it was made, in seconds since 1970; also the birth of files whose own is not known.
  public var creationTime: Int64 = 0
  /// How big it becomes.
  public var size = Ext4Size.fitting(free: 64 << 20)
  /// How far a running guest may grow it, in bytes.
  ///
  /// Descriptors up to this size are reserved in each group that holds a copy of the superblock:
  /// 512 KiB for each TiB, which read as zeros. A size given exactly raises it to ten times that;
  /// 8 TiB more than the size, and 16 TiB in all, is the most. Beyond it a kernel from 3.7 on
  /// grows it in another way (feature meta_bg).
  public var maximumSize: UInt64 = 2 << 40
  /// Blocks for root alone, in percent of all: 0 to 50.
  public var reservedPercent: UInt8 = 5

  /// Makes options with the defaults.
  public init(uuid: FileSystemUUID, hashSeed: FileSystemUUID) {
    self.uuid = uuid
    self.hashSeed = hashSeed
  }
}

/// What was written.
public struct Ext4Summary: Hashable, Sendable {
  /// The file system's size in bytes.
  public var size: Int
  /// Bytes in blocks that are free, those reserved for root among them.
  public var freeSize: Int
  /// Inodes there are.
  public var inodeCount: Int
  /// Inodes used, the eleven reserved ones among them.
  public var usedInodeCount: Int
  /// Bytes in the journal.
  public var journalSize: Int
  /// Time stamps before 1901 or after 2446, which ext4 can't hold and which were moved to the
  /// nearest it can.
  public var clampedTimes: Int
  /// Byte ranges that hold content no inode refers to; they are free space in the file system,
  /// but the old bytes are there.
  public var unreferenced: [Range<Int>]
}
