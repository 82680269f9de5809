/// A time stamp of a file, to the nanosecond.
public struct FileTime: Hashable, Sendable, Comparable {
  /// Seconds since 1970-01-01T00:00:00Z; negative before it.
  public var seconds: Int64
  /// Nanoseconds after `seconds`: 0 to 999,999,999.
  public var nanoseconds: UInt32

  /// Makes a time stamp.
  public init(seconds: Int64, nanoseconds: UInt32 = 0) {
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }

  /// Earlier comes first.
  public static func < (a: FileTime, b: FileTime) -> Bool {
    (a.seconds, a.nanoseconds) < (b.seconds, b.nanoseconds)
  }
}

/// An extended attribute: xattr(7)'s full name and the value as the system call gives it.
public struct ExtendedAttribute: Hashable, Sendable {
  /// The name with its namespace: `security.capability`.
  public var name: [UInt8]
  /// The value, of any bytes.
  public var value: [UInt8]

  /// Makes an attribute.
  public init(name: [UInt8], value: [UInt8]) {
    self.name = name
    self.value = value
  }

  /// Makes an attribute whose name is text.
  public init(_ name: String, _ value: [UInt8]) {
    self.init(name: Array(name.utf8), value: value)
  }
}

/// What an inode carries beside its kind and content.
public struct FileAttributes: Hashable, Sendable {
  /// The low twelve mode bits: set-id, sticky and permissions.
  public var permissions: UInt16
  /// The owner.
  public var uid: UInt32
  /// The owning group.
  public var gid: UInt32
  /// Last access.
  public var accessed: FileTime
  /// Last change of the content.
  public var modified: FileTime
  /// Last change of the inode.
  public var changed: FileTime
  /// When it was made, where the source knows.
  public var created: FileTime?
  /// Flags as chattr(1) and `FS_IOC_GETFLAGS` number them.
  public var flags: UInt32
  /// Extended attributes, ACLs and capabilities among them; names are unique.
  public var extended: [ExtendedAttribute]

  /// Makes attributes; times not given are `modified`.
  public init(
    permissions: UInt16, uid: UInt32 = 0, gid: UInt32 = 0,
    modified: FileTime = FileTime(seconds: 0), accessed: FileTime? = nil,
    changed: FileTime? = nil, created: FileTime? = nil, flags: UInt32 = 0,
    extended: [ExtendedAttribute] = []
  ) {
    self.permissions = permissions
    self.uid = uid
    self.gid = gid
    self.accessed = accessed ?? modified
    self.modified = modified
    self.changed = changed ?? modified
    self.created = created
    self.flags = flags
    self.extended = extended
  }
}

/// Where a regular file's bytes are.
public enum FileContent: Hashable, Sendable {
  /// Held in the tree: for files that are made or read while converting.
  case bytes([UInt8])
  /// Held elsewhere, under a number whose meaning belongs to the tree's owner.
  ///
  /// Before a file system is finished it must be the number that its writer gave out.
  case reference(UInt64, size: UInt64)

  /// A file without bytes.
  public static let empty = FileContent.bytes([])

  /// The file's length in bytes.
  public var size: UInt64 {
    switch self {
    case .bytes(let bytes): UInt64(bytes.count)
    case .reference(_, let size): size
    }
  }
}

/// What an inode is.
public enum FileKind: Hashable, Sendable {
  /// A directory; its entries are added to the tree.
  case directory
  /// A regular file.
  case regular(FileContent)
  /// A symbolic link and what it says, as bytes.
  case symbolicLink([UInt8])
  /// A named pipe.
  case fifo
  /// A Unix socket's name.
  case socket
  /// A character device.
  case characterDevice(major: UInt32, minor: UInt32)
  /// A block device.
  case blockDevice(major: UInt32, minor: UInt32)

  /// The file type in the upper four mode bits (inode(7)).
  public var modeBits: UInt16 {
    switch self {
    case .fifo: 0o010000
    case .characterDevice: 0o020000
    case .directory: 0o040000
    case .blockDevice: 0o060000
    case .regular: 0o100000
    case .symbolicLink: 0o120000
    case .socket: 0o140000
    }
  }
}
