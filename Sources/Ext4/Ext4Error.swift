internal import FileTree

/// Why a tree can't become the file system asked for.
public struct Ext4Error: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong.
  public enum Reason: Hashable, Sendable {
    /// More bytes are needed than the size given.
    case tooSmall(needed: UInt64, size: UInt64)
    /// The content outgrew the size that room for growth was reserved for.
    case beyondMaximum(needed: UInt64, maximum: UInt64)
    /// A label of more than 16 bytes.
    case labelTooLong(Int)
    /// A file of more than 16 TiB.
    case fileTooLarge
    /// A name of more than 255 bytes.
    case nameTooLong(Int)
    /// More than 65,000 names for one file.
    case tooManyLinks(Int)
    /// More names than a two-level index holds.
    case directoryTooLarge(Int)
    /// A symbolic link's target is empty, longer than 4,095 bytes, or holds a NUL.
    case badLinkTarget(Int)
    /// Device numbers beyond 12 bits of major or 20 of minor.
    case badDevice(major: UInt32, minor: UInt32)
    /// Extended attributes that take more than the inode and one block.
    case attributesTooLarge
    /// An extended attribute that ext4 can't store.
    case badAttribute(name: [UInt8])
    /// An ACL that isn't one.
    case badACL(name: [UInt8])
    /// Content that this writer never got, or that another inode has.
    case badContent
    /// A call out of order.
    case misuse(String)
  }

  /// The path in the guest, as bytes; empty where the file system as a whole is meant.
  public let path: [UInt8]
  /// What is wrong.
  public let reason: Reason

  /// Records a refusal.
  public init(_ path: [UInt8], _ reason: Reason) {
    self.path = path
    self.reason = reason
  }

  /// The sentence a message is built on, with the way on.
  public var description: String {
    path.isEmpty ? "ext4: \(explanation)" : "ext4: \(printable(path)): \(explanation)"
  }

  private var explanation: String {
    switch reason {
    case .tooSmall(let needed, let size):
      "the content needs \(needed) bytes, \(needed - size) more than the size of \(size); "
        + "give a larger size or leave files out"
    case .beyondMaximum(let needed, let maximum):
      "the content needs \(needed) bytes, and descriptors are reserved for \(maximum); "
        + "raise the maximum size or give the size"
    case .labelTooLong(let count): "the label has \(count) bytes, and 16 is the most"
    case .fileTooLarge: "the file is larger than 16 TiB, the most that ext4 holds; leave it out"
    case .nameTooLong(let count): "the name has \(count) bytes, and 255 is the most; rename it"
    case .tooManyLinks(let count):
      "the file has \(count) names, and 65000 is the most; make some of them copies"
    case .directoryTooLarge(let count):
      "the directory has \(count) names, more than its index holds; split it"
    case .badLinkTarget(let count):
      "the symbolic link's target of \(count) bytes is empty, longer than 4095 or holds a NUL"
    case .badDevice(let major, let minor):
      "the device number \(major):\(minor) is beyond 4095:1048575"
    case .attributesTooLarge:
      "the extended attributes need more room than the inode and one block of 4096 bytes; "
        + "drop some"
    case .badAttribute(let name):
      "ext4 can't store the extended attribute \(printable(name)); drop it"
    case .badACL(let name): "the attribute \(printable(name)) is no valid ACL; drop it"
    case .badContent: "its content was never given to this file system, or belongs to two files"
    case .misuse(let what): what
    }
  }
}
