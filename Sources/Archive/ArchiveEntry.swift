public import SystemIO

/// One entry of an archive, as the archive says it; nothing in it was checked against others.
public struct ArchiveEntry: Hashable, Sendable {
  /// What an entry is.
  public enum Kind: Hashable, Sendable {
    /// A file; its data are read with `ArchiveReader.readData`.
    case regular
    /// A directory.
    case directory
    /// A symbolic link and its target.
    case symbolicLink([UInt8])
    /// Another name of the entry with this path; some archives repeat the data.
    case hardLink([UInt8])
    /// A character device.
    case characterDevice(major: UInt32, minor: UInt32)
    /// A block device.
    case blockDevice(major: UInt32, minor: UInt32)
    /// A named pipe.
    case fifo
    /// A socket's name.
    case socket
  }

  /// An extended attribute with its full name, `user.comment`.
  public struct Attribute: Hashable, Sendable {
    /// The name with its prefix, as bytes.
    public var name: [UInt8]
    /// The value; ACLs in the form of the system calls (xattr `system.posix_acl_access`).
    public var value: [UInt8]
  }

  /// The path as the archive's bytes: perhaps absolute, with `..` or a trailing slash.
  public var path: [UInt8]
  /// What it is.
  public var kind: Kind
  /// Permissions with set-user-ID, set-group-ID and sticky bits: 0 to 0o7777.
  public var permissions: UInt16
  /// The owner's number.
  public var uid: UInt32
  /// The group's number.
  public var gid: UInt32
  /// Modified.
  public var modified: Timestamp
  /// Read last, where the archive says.
  public var accessed: Timestamp?
  /// Inode changed, where the archive says.
  public var changed: Timestamp?
  /// Made, where the archive says.
  public var created: Timestamp?
  /// The length in bytes with holes; 0 where the entry has no data.
  public var size: Int
  /// Extended attributes and ACLs in the archive's order.
  public var attributes: [Attribute]
  /// ACL entries that the archive gives by user or group name alone, as GNU tar does.
  ///
  /// They are not in `attributes` and count as warnings until `resolveACLEntries` found the
  /// numbers in the tree's own passwd and group files.
  public internal(set) var unresolvedACLEntries: [NamedACLEntry]
  /// Inode flags of ext2 and its kin (`FS_IOC_GETFLAGS`).
  public var inodeFlags: UInt32
  /// Where the data are in a file with holes; nil for one without.
  public var dataRanges: [Range<Int>]?
  /// Where the entry's header is in the uncompressed archive, in bytes.
  public var headerOffset: Int
  /// What was noticed while the header was read.
  var readerWarnings: [String]

  /// What could not be taken over as it stands, a sentence each.
  public var warnings: [String] {
    readerWarnings
      + unresolvedACLEntries.map {
        "the ACL entry for '\(printable($0.name))' is dropped: it has a name and no number"
      }
  }

  /// Puts ACL entries that have only names into the attributes.
  ///
  /// - Parameters:
  ///   - user: a user's number, nil where there is no such user.
  ///   - group: a group's number, nil where there is no such group.
  public mutating func resolveACLEntries(
    user: ([UInt8]) -> UInt32?, group: ([UInt8]) -> UInt32?
  ) {
    unresolvedACLEntries.removeAll { entry in
      guard let id = entry.isGroup ? group(entry.name) : user(entry.name),
        let index = attributes.firstIndex(where: { $0.name == entry.attribute }),
        var list = AccessControlList(attributeValue: attributes[index].value)
      else { return false }
      list.items.append(
        .init(
          tag: entry.isGroup ? AccessControlList.groupTag : AccessControlList.userTag,
          permissions: entry.permissions, id: id))
      attributes[index].value = list.attributeValue
      return true
    }
  }
}

/// An ACL entry for somebody known by name alone.
public struct NamedACLEntry: Hashable, Sendable {
  /// The extended attribute of the ACL it belongs to.
  public let attribute: [UInt8]
  /// Whether the name is a group's.
  public let isGroup: Bool
  /// The user's or group's name.
  public let name: [UInt8]
  /// Read 4, write 2, execute 1.
  public let permissions: UInt16
}
