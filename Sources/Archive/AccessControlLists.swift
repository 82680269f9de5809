internal import CLibarchive

/// The POSIX ACLs that an archive gives as text, made into extended attributes.
struct AccessControlLists {
  private(set) var attributes: [ArchiveEntry.Attribute] = []
  private(set) var unresolved: [NamedACLEntry] = []
  private(set) var warnings: [String] = []
  private var mask: UInt16?

  /// - Parameter known: the entry's other attributes; GNU tar may store an ACL there too, and that
  ///   one is whole, while the text may have names in place of numbers.
  init(_ raw: OpaquePointer, known: [ArchiveEntry.Attribute]) {
    let types = archive_entry_acl_types(raw)
    if types & ingot_acl_type_nfs4 != 0 {
      warnings.append("its NFSv4 ACL is dropped: Linux file systems have none")
    }
    for (type, name) in [
      (ARCHIVE_ENTRY_ACL_TYPE_ACCESS, "system.posix_acl_access"),
      (ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, "system.posix_acl_default"),
    ] where types & type != 0 {
      let attribute = Array(name.utf8)
      let list = read(raw, type, attribute, isKnown: known.contains { $0.name == attribute })
      if type == ARCHIVE_ENTRY_ACL_TYPE_ACCESS {
        mask = list.items.first { $0.tag == AccessControlList.maskTag }?.permissions
      }
    }
  }

  /// The mode's permissions with the group's bits put right.
  ///
  /// With an ACL they are its mask (acl(5)), while libarchive puts the owning group's entry there.
  func permissions(_ mode: UInt16) -> UInt16 {
    guard let mask else { return mode }
    return mode & ~0o070 | mask << 3
  }

  private mutating func read(
    _ raw: OpaquePointer, _ type: Int32, _ attribute: [UInt8], isKnown: Bool
  ) -> AccessControlList {
    var list = AccessControlList()
    archive_entry_acl_reset(raw, type)
    var foundType: Int32 = 0
    var permissions: Int32 = 0
    var tag: Int32 = 0
    var id: Int32 = 0
    var name: UnsafePointer<CChar>?
    while archive_entry_acl_next(raw, type, &foundType, &permissions, &tag, &id, &name)
      == ARCHIVE_OK
    {
      guard let linuxTag = Self.linuxTag(tag) else { continue }
      let bits = UInt16(permissions & 7)
      let isGroup = linuxTag == AccessControlList.groupTag
      if !isGroup && linuxTag != AccessControlList.userTag {
        list.items.append(.init(tag: linuxTag, permissions: bits))
      } else if id != -1 {
        list.items.append(.init(tag: linuxTag, permissions: bits, id: UInt32(bitPattern: id)))
      } else if !isKnown {
        unresolved.append(
          NamedACLEntry(
            attribute: attribute, isGroup: isGroup, name: name.map(bytes(of:)) ?? [],
            permissions: bits))
      }
    }
    if !isKnown {
      attributes.append(ArchiveEntry.Attribute(name: attribute, value: list.attributeValue))
    }
    return list
  }

  private static func linuxTag(_ tag: Int32) -> UInt16? {
    switch tag {
    case ARCHIVE_ENTRY_ACL_USER_OBJ: 0x01
    case ARCHIVE_ENTRY_ACL_USER: AccessControlList.userTag
    case ARCHIVE_ENTRY_ACL_GROUP_OBJ: 0x04
    case ARCHIVE_ENTRY_ACL_GROUP: AccessControlList.groupTag
    case ARCHIVE_ENTRY_ACL_MASK: AccessControlList.maskTag
    case ARCHIVE_ENTRY_ACL_OTHER: 0x20
    default: nil
    }
  }
}
