internal import FileTree

/// A block of extended attributes, and how many inodes have it.
struct SharedAttributes {
  let attributes: [ExtendedAttribute]
  let stated: UInt32
  var uses: UInt32
}

// Extended attributes: Documentation/filesystems/ext4/attributes.rst.
extension TreeReader {
  private static let magic: UInt32 = 0xea02_0000

  /// An inode's extended attributes, those in a block among them, sorted by name.
  func extendedAttributes(of inode: InodeRecord) throws -> [ExtendedAttribute] {
    var found: [ExtendedAttribute] = []
    if inode.tail.count >= 4, inode.tail.little32(0) == Self.magic {
      // Values' offsets count from the first entry.
      found = try attributes(Array(inode.tail[4...]), from: 0, inode.number, nil)
    }
    if inode.attributeBlock != 0 { found += try sharedAttributes(of: inode) }
    found.sort { $0.name.lexicographicallyPrecedes($1.name) }
    for (a, b) in zip(found, found.dropFirst()) where a.name == b.name {
      throw Ext4ReadError(
        inode: inode.number, "it has two attributes of the name '\(printable(a.name))'")
    }
    return found
  }

  private func sharedAttributes(of inode: InodeRecord) throws -> [ExtendedAttribute] {
    let block = inode.attributeBlock
    if let known = sharedAttributes[block] {
      sharedAttributes[block]?.uses += 1
      return known.attributes
    }
    try claim(block, 1, 0)
    let bytes = try bytes(ofBlock: block)
    guard bytes.little32(0) == Self.magic, bytes.little32(8) == 1 else {
      throw Ext4ReadError(inode: inode.number, block: block, "no extended attributes there")
    }
    if superblock.hasChecksums {
      let zeroed = bytes[..<16] + [0, 0, 0, 0] + bytes[20...]
      try check(
        bytes.little32(16), checksum(checksum(superblock.seed, block), zeroed),
        "the attributes' checksum", inode: inode.number, block: block)
    }
    let found = try attributes(bytes, from: 32, inode.number, block)
    sharedAttributes[block] = SharedAttributes(
      attributes: found, stated: bytes.little32(4), uses: 1)
    return found
  }

  func checkAttributeUses() throws {
    for (block, shared) in sharedAttributes.sorted(by: { $0.key < $1.key })
    where shared.uses != shared.stated {
      throw Ext4ReadError(
        block: block,
        "\(shared.uses) inodes have these attributes and the block counts \(shared.stated)")
    }
  }

  private func attributes(
    _ bytes: [UInt8], from start: Int, _ inode: UInt32, _ block: UInt64?
  ) throws -> [ExtendedAttribute] {
    var found: [ExtendedAttribute] = []
    var offset = start
    func refuse(_ reason: String) -> Ext4ReadError {
      Ext4ReadError(inode: inode, block: block, reason)
    }
    while offset + 4 <= bytes.count, bytes.little32(offset) != 0 {
      let nameLength = Int(bytes[offset])
      guard offset + 16 + nameLength <= bytes.count else {
        throw refuse("an attribute at \(offset) is cut off")
      }
      let (valueOffset, size) = (
        Int(bytes.little16(offset + 2)), Int(bytes.little32(offset + 8))
      )
      guard bytes.little32(offset + 4) == 0 else {
        throw refuse("an attribute's value is in inode \(bytes.little32(offset + 4))")
      }
      guard size <= bytes.count, size == 0 || valueOffset <= bytes.count - size else {
        throw refuse("an attribute's value of \(size) bytes at \(valueOffset)")
      }
      let name = bytes[offset + 16..<offset + 16 + nameLength]
      let value = size == 0 ? [] : bytes[valueOffset..<valueOffset + size]
      try checkHash(bytes.little32(offset + 12), name, value, refuse)
      found.append(try attribute(bytes[offset + 1], name, value, refuse))
      offset += (16 + nameLength + 3) & ~3
    }
    return found
  }

  /// Compares an attribute's hash; the signedness of a name's bytes depends on who wrote it.
  private func checkHash(
    _ stored: UInt32, _ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>,
    _ refuse: (String) -> Ext4ReadError
  ) throws {
    if stored == 0 { return }
    func hash(_ widen: (UInt8) -> UInt32) -> UInt32 {
      var hash = name.reduce(UInt32(0)) { ($0 << 5) ^ ($0 >> 27) ^ widen($1) }
      var rest = value
      while !rest.isEmpty {
        let word = rest.prefix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        hash = (hash << 16) ^ (hash >> 16) ^ word
        rest = rest.dropFirst(4)
      }
      return hash
    }
    let unsigned = hash { UInt32($0) }
    guard stored != unsigned, stored != hash({ UInt32(bitPattern: Int32(Int8(bitPattern: $0))) })
    else { return }
    throw refuse(
      "the hash of attribute '\(printable(name))' is \(hexadecimal(stored)) and should be "
        + hexadecimal(unsigned))
  }

  private func attribute(
    _ namespace: UInt8, _ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>,
    _ refuse: (String) -> Ext4ReadError
  ) throws -> ExtendedAttribute {
    let prefixes: [UInt8: String] = [
      1: "user.", 2: "system.posix_acl_access", 3: "system.posix_acl_default", 4: "trusted.",
      6: "security.", 7: "system.",
    ]
    let isACL = namespace == 2 || namespace == 3
    guard let prefix = prefixes[namespace], name.isEmpty == isACL, !name.contains(0) else {
      throw refuse("an attribute '\(printable(name))' of namespace \(namespace)")
    }
    guard isACL else {
      return ExtendedAttribute(name: Array(prefix.utf8) + name, value: Array(value))
    }
    guard let list = accessControlList(Array(value)) else {
      throw refuse("'\(prefix)' is no valid ACL")
    }
    return ExtendedAttribute(prefix, list)
  }

  /// From ext4's form of an ACL (fs/ext4/acl.h: version 1, an id only for named users and groups)
  /// to the system call's (linux/posix_acl_xattr.h: version 2, eight bytes an entry).
  private func accessControlList(_ value: [UInt8]) -> [UInt8]? {
    guard value.count >= 4, value.little32(0) == 1 else { return nil }
    var list: [UInt8] = [2, 0, 0, 0]
    var offset = 4
    while offset < value.count {
      guard value.count - offset >= 4 else { return nil }
      let hasID: Bool
      switch value.little16(offset) {
      case 0x01, 0x04, 0x10, 0x20: hasID = false
      case 0x02, 0x08: hasID = true
      default: return nil
      }
      let length = hasID ? 8 : 4
      guard value.count - offset >= length else { return nil }
      list += value[offset..<offset + length]
      if !hasID { list += [0xff, 0xff, 0xff, 0xff] }
      offset += length
    }
    return list
  }
}
