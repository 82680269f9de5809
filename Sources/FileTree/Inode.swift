/// An inode as the tree stores it.
struct Inode: Sendable {
  enum Form: UInt8, Sendable {
    case directory, bytes, reference, symbolicLink, fifo, socket, characterDevice, blockDevice
  }

  var seconds: (Int64, Int64, Int64, Int64) = (0, 0, 0, 0)
  var nanoseconds: (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
  /// By form: a link target's offset in the arena; the content's number, held in the tree or
  /// elsewhere; major and minor; first entry and the entry that names the directory.
  var first: UInt64 = 0
  /// By form: a link target's length; the content's size; a directory's number of entries.
  var second: UInt64 = 0
  var uid: UInt32 = 0
  var gid: UInt32 = 0
  var flags: UInt32 = 0
  var attributeSet: UInt32 = 0
  var links: UInt32 = 0
  var permissions: UInt16 = 0
  var type = Form.fifo
  var hasBirth = false

  /// Of a regular file whose bytes are in the tree: where among them, unless there are none.
  var heldContent: Int { Int(truncatingIfNeeded: first) }

  var major: UInt32 { UInt32(truncatingIfNeeded: first >> 32) }
  var minor: UInt32 { UInt32(truncatingIfNeeded: first) }

  /// Of a directory: the head of its list of entries.
  var firstEntry: UInt32 {
    get { UInt32(truncatingIfNeeded: first) }
    set { first = first & ~0xffff_ffff | UInt64(newValue) }
  }
  /// Of a directory: the entry that names it.
  var namingEntry: UInt32 {
    get { UInt32(truncatingIfNeeded: first >> 32) }
    set { first = first & 0xffff_ffff | UInt64(newValue) << 32 }
  }

  func attributes(extended sets: [[ExtendedAttribute]]) -> FileAttributes {
    FileAttributes(
      permissions: permissions, uid: uid, gid: gid,
      modified: FileTime(seconds: seconds.1, nanoseconds: nanoseconds.1),
      accessed: FileTime(seconds: seconds.0, nanoseconds: nanoseconds.0),
      changed: FileTime(seconds: seconds.2, nanoseconds: nanoseconds.2),
      created: hasBirth ? FileTime(seconds: seconds.3, nanoseconds: nanoseconds.3) : nil,
      flags: flags, extended: sets[Int(attributeSet)])
  }

  mutating func assign(_ new: FileAttributes, extended set: UInt32) {
    permissions = new.permissions & 0o7777
    uid = new.uid
    gid = new.gid
    let birth = new.created ?? FileTime(seconds: 0)
    seconds = (
      new.accessed.seconds, new.modified.seconds, new.changed.seconds, birth.seconds
    )
    nanoseconds = (
      new.accessed.nanoseconds, new.modified.nanoseconds, new.changed.nanoseconds,
      birth.nanoseconds
    )
    hasBirth = new.created != nil
    flags = new.flags
    attributeSet = set
  }
}

/// A name in a directory, in that directory's doubly linked list.
struct DirectoryEntry: Sendable {
  static let none = UInt32.max

  var nameOffset: Int
  var nameLength: UInt32
  var node: UInt32
  var directory: UInt32
  var next: UInt32
  var previous: UInt32
}
