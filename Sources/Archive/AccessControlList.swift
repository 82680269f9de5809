/// A POSIX ACL in the form of Linux's system calls, which is the value of its extended attribute.
///
/// The form is a version of 2 and entries of tag, permissions and id, little-endian, in ascending
/// order (linux/posix_acl_xattr.h).
struct AccessControlList {
  struct Item {
    var tag: UInt16
    var permissions: UInt16
    var id: UInt32 = .max
  }

  static let userTag: UInt16 = 0x02
  static let groupTag: UInt16 = 0x08
  static let maskTag: UInt16 = 0x10

  var items: [Item] = []

  init() {}

  /// Reads an attribute's value; nil where it is none.
  init?(attributeValue value: [UInt8]) {
    guard value.count >= 4, value.count % 8 == 4, value.starts(with: [2, 0, 0, 0]) else {
      return nil
    }
    func number(_ range: Range<Int>) -> UInt32 {
      value[range].reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
    for start in stride(from: 4, to: value.count, by: 8) {
      items.append(
        Item(
          tag: UInt16(number(start..<start + 2)),
          permissions: UInt16(number(start + 2..<start + 4)),
          id: number(start + 4..<start + 8)))
    }
  }

  var attributeValue: [UInt8] {
    var value: [UInt8] = [2, 0, 0, 0]
    for item in items.sorted(by: { ($0.tag, $0.id) < ($1.tag, $1.id) }) {
      withUnsafeBytes(of: item.tag.littleEndian) { value += $0 }
      withUnsafeBytes(of: item.permissions.littleEndian) { value += $0 }
      withUnsafeBytes(of: item.id.littleEndian) { value += $0 }
    }
    return value
  }
}
