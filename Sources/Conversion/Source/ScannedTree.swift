internal import Ext4
internal import FileTree
internal import SystemIO

/// A regular file as it was when the tree was scanned.
struct SourceFile: Sendable {
  var device: UInt64
  var inode: UInt64
  var size: Int
  var modified: Timestamp
  /// Whether fewer bytes are allocated than it has.
  var isSparse: Bool
}

/// A directory's tree in memory, contents still outside.
struct ScannedTree: Sendable {
  /// Regular files have contents `.reference(n, size)`, `n` being an index into `files`.
  var tree: FileTree
  var files: [SourceFile]
  /// The top directory, open; nil where there is none.
  var root: Descriptor?
  var dropped: [ConversionReport.Item] = []
  var changed: [ConversionReport.Item] = []
  var excluded: [ConversionReport.Item] = []
  /// Bytes in files, holes counted.
  var contentBytes = 0
}

extension FileTime {
  init(_ time: Timestamp) {
    self.init(seconds: time.seconds, nanoseconds: min(time.nanoseconds, 999_999_999))
  }
}

/// How source attributes become the guest's.
struct AttributePolicy: Sendable {
  // Access times change by reading and change times by copying, so neither is kept: the same
  // tree must give the same bytes. Birth times stay where the machine stays who it is.
  let keepsBirth: Bool
  /// No time is later than this.
  let latest: Int64?

  func time(_ time: Timestamp) -> FileTime {
    if let latest, time.seconds >= latest { return FileTime(seconds: latest) }
    return FileTime(time)
  }

  /// Takes out what ext4 has no place for, and says which.
  ///
  /// `security.evm` goes in silence: it signs the inode's number on the old disk.
  static func filter(_ extended: inout [(name: [UInt8], value: [UInt8])]) -> String? {
    if extended.isEmpty { return nil }
    extended.removeAll { $0.name == Array("security.evm".utf8) }
    var lost: [[UInt8]] = []
    while let name = unstorable(extended) {
      lost.append(name)
      extended.removeAll { $0.name == name }
    }
    if lost.isEmpty { return nil }
    return "ext4 can't hold its attributes " + lost.map { shown($0) }.joined(separator: ", ")
  }

  /// The attribute that has to go first: one that is none to ext4, or the largest of too many.
  private static func unstorable(_ extended: [(name: [UInt8], value: [UInt8])]) -> [UInt8]? {
    do throws(Ext4Error) {
      try Ext4Writer.check(extended.map { ExtendedAttribute(name: $0.name, value: $0.value) })
      return nil
    } catch {
      switch error.reason {
      case .badAttribute(let name), .badACL(let name): return name
      default: return extended.max { $0.value.count < $1.value.count }?.name
      }
    }
  }

  func attributes(
    permissions: UInt16, uid: UInt32, gid: UInt32, modified: Timestamp, created: Timestamp?,
    flags: UInt32, extended: [(name: [UInt8], value: [UInt8])]
  ) -> FileAttributes {
    // Names are unique in a source; an archive may repeat one, and the last counts.
    var unique: [ExtendedAttribute] = []
    for attribute in extended {
      unique.removeAll { $0.name == attribute.name }
      let isACL = attribute.name.starts(with: "system.posix_acl_".utf8)
      unique.append(
        ExtendedAttribute(
          name: attribute.name,
          value: isACL ? Self.canonicalACL(attribute.value) : attribute.value))
    }
    unique.sort { $0.name.lexicographicallyPrecedes($1.name) }
    return FileAttributes(
      permissions: permissions, uid: uid, gid: gid, modified: time(modified),
      created: keepsBirth ? created.map(time) : nil, flags: flags, extended: unique)
  }

  /// An ACL as the kernel gives it back: only entries of named users and groups have an id, and
  /// what an archive put there for others means nothing (linux/posix_acl_xattr.h).
  private static func canonicalACL(_ value: [UInt8]) -> [UInt8] {
    guard value.count % 8 == 4 else { return value }
    var value = value
    for start in stride(from: 4, to: value.count, by: 8) where ![2, 8].contains(value[start]) {
      value.replaceSubrange(start + 4..<start + 8, with: [255, 255, 255, 255])
    }
    return value
  }
}
