/// Why a file system can't be read: where in it, and what is wrong there.
public struct Ext4ReadError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What kind of thing is wrong.
  public enum Kind: Hashable, Sendable {
    /// It is no ext4 file system at all.
    case notExt4
    /// It needs something that this reader does not know, or a replay of its journal.
    case unsupported
    /// It contradicts the format, a checksum or itself.
    case damaged
    /// It goes over one of `Ext4ReadLimits`.
    case limit
  }

  /// What kind of thing is wrong.
  public let kind: Kind
  /// The inode it is about.
  public let inode: UInt32?
  /// The block it is about, counted from the file system's start.
  public let block: UInt64?
  /// What is wrong, with the value.
  public let reason: String

  init(inode: UInt32? = nil, block: UInt64? = nil, _ reason: String) {
    self.init(.damaged, inode: inode, block: block, reason)
  }

  init(_ kind: Kind, inode: UInt32? = nil, block: UInt64? = nil, _ reason: String) {
    self.kind = kind
    self.inode = inode
    self.block = block
    self.reason = reason
  }

  /// The sentence for the user: the place, what is wrong with the value, and the way on.
  public var description: String {
    var place = "ext4"
    if let inode { place += ": inode \(inode)" }
    if let block { place += ": block \(block)" }
    let help =
      switch kind {
      case .notExt4: "check the offset and the kind of the file system"
      case .unsupported: "let e2fsck and tune2fs bring it into the plain form"
      case .damaged: "let e2fsck look at a copy"
      case .limit: "raise the limit if you trust where it comes from"
      }
    return "\(place): \(reason); \(help)"
  }
}

/// How much is read before a file system is refused, so that a hostile one exhausts nothing.
public struct Ext4ReadLimits: Hashable, Sendable {
  /// Names in all directories.
  public var names = 20_000_000
  /// Stretches of all files.
  public var extents = 100_000_000
  /// Groups of blocks; 2^20 of them hold 128 TiB.
  public var groups = 1 << 20

  /// The defaults, which no machine's tree comes near.
  public init() {}
}
