public import FileTree

/// An extended attribute as ext4 stores it: the namespace as a number, the rest of the name, and
/// the value, an ACL in ext4's own form.
struct AttributeEntry {
  let namespace: UInt8
  let name: [UInt8]
  let value: [UInt8]

  /// The namespaces' numbers (fs/ext4/xattr.h); a name that ends in a dot is a prefix.
  private static let namespaces: [(prefix: [UInt8], number: UInt8)] = [
    (Array("system.posix_acl_access".utf8), 2), (Array("system.posix_acl_default".utf8), 3),
    (Array("user.".utf8), 1), (Array("trusted.".utf8), 4), (Array("security.".utf8), 6),
    (Array("system.".utf8), 7),
  ]

  /// - Throws: the reason why ext4 can't store it.
  init(_ attribute: ExtendedAttribute) throws(AttributeRefusal) {
    guard let (number, rest) = Self.split(attribute.name), attribute.value.count <= 65535 else {
      throw .unsupported
    }
    namespace = number
    name = rest
    value = number == 2 || number == 3 ? try Self.compactACL(attribute.value) : attribute.value
  }

  static func split(_ full: [UInt8]) -> (UInt8, [UInt8])? {
    for (prefix, number) in namespaces where full.starts(with: prefix) {
      let rest = Array(full[prefix.count...])
      let whole = prefix.last != UInt8(ascii: ".")
      guard rest.isEmpty == whole, rest.count <= 255, !rest.contains(0) else { continue }
      return (number, rest)
    }
    return nil
  }

  /// From the system call's form (linux/posix_acl_xattr.h: version 2, eight bytes an entry) to
  /// ext4's (fs/ext4/acl.h: version 1, an id only for named users and groups).
  private static func compactACL(_ value: [UInt8]) throws(AttributeRefusal) -> [UInt8] {
    guard value.count >= 4, (value.count - 4) % 8 == 0, value.starts(with: [2, 0, 0, 0]) else {
      throw .badACL
    }
    var compact: [UInt8] = [1, 0, 0, 0]
    for start in stride(from: 4, to: value.count, by: 8) {
      switch Int(value[start]) | Int(value[start + 1]) << 8 {
      case 0x01, 0x04, 0x10, 0x20: compact += value[start..<start + 4]
      case 0x02, 0x08: compact += value[start..<start + 8]
      default: throw .badACL
      }
    }
    return compact
  }

  /// Bytes of the entry's head and name.
  var headLength: Int { (16 + name.count + 3) & ~3 }
  /// Bytes of the value with its padding.
  var valueLength: Int { (value.count + 3) & ~3 }

  /// The hash that a shared block's entries carry.
  ///
  /// Name bytes count as signed: what e2fsprogs before 1.46.6 computes on x86, and later ones
  /// accept beside the unsigned.
  var hash: UInt32 {
    var hash: UInt32 = 0
    for byte in name {
      let signed = UInt32(bitPattern: Int32(Int8(bitPattern: byte)))
      hash = (hash << 5) ^ (hash >> 27) ^ signed
    }
    for start in stride(from: 0, to: value.count, by: 4) {
      var word: UInt32 = 0
      for (shift, byte) in value[start..<min(start + 4, value.count)].enumerated() {
        word |= UInt32(byte) << (8 * UInt32(shift))
      }
      hash = (hash << 16) ^ (hash >> 16) ^ word
    }
    return hash
  }
}

/// Why an attribute can't be stored.
enum AttributeRefusal: Error {
  case unsupported, badACL
}

extension Ext4Writer {
  /// Whether ext4 has a place for an extended attribute of this name.
  ///
  /// The namespaces are `user`, `trusted`, `security`, `system` and the two of POSIX ACLs.
  public static func canStore(_ attribute: ExtendedAttribute) -> Bool {
    AttributeEntry.split(attribute.name) != nil && attribute.value.count <= 65535
  }
}
