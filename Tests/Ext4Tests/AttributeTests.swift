import Ext4
import FileTree
import Testing

@Suite struct AttributeTests {
  private func attributes(_ extended: [ExtendedAttribute]) -> FileAttributes {
    FileAttributes(permissions: 0o644, extended: extended)
  }

  @Test("attributes in the inode, in a block and in both come back")
  func places() throws {
    let label = ExtendedAttribute("security.selinux", Array("system_u:object_r:etc_t:s0\0".utf8))
    let large = ExtendedAttribute("user.large", pattern(3000))
    let empty = ExtendedAttribute("user.empty", [])
    let foreign = ExtendedAttribute(name: Array("user.\u{e9}".utf8) + [0xff], value: [1])
    let image = try makeImage { tree, _ in
      try tree.add("inode", .fifo, attributes([label]))
      try tree.add("block", .regular(.empty), attributes([large]))
      try tree.add("both", .directory, attributes([large, label, empty, foreign]))
      try tree.add("link", .symbolicLink([0x78]), attributes([label]))
    }
    try image.expectClean()
    for name in ["inode", "both", "link"] {
      #expect(try image.debugfs("ea_get -V \(name) security.selinux").contains("etc_t:s0"))
    }
    let copy = SparseFile()
    for name in ["block", "both"] {
      _ = try image.debugfs("ea_get -f \(copy.path) \(name) user.large")
      #expect(try copy.contents() == pattern(3000))
    }
    let listed = try image.debugfs("ea_list both")
    #expect(listed.contains("user.empty (0)"))
  }

  @Test("equal sets share blocks, at most 1,024 inodes each")
  func shared() throws {
    let set = [ExtendedAttribute("user.a", pattern(200)), ExtendedAttribute("user.b", [1])]
    let image = try makeImage { tree, _ in
      for number in 0..<2500 { try tree.add("f\(number)", .regular(.empty), attributes(set)) }
    }
    try image.expectClean()
    let blocks = try image.debugfs(
      (0..<2500).map { "stat f\($0)" }.joined(separator: "\n")
    ).split(separator: "\n").filter { $0.contains("File ACL: ") }
    #expect(Set(blocks).count == 3)
  }

  @Test("more than the inode and a block hold is refused with the path")
  func tooLarge() throws {
    let error = #expect(throws: Ext4Error.self) {
      try makeImage { tree, _ in
        let directory = try tree.add("d", .directory)
        try tree.add("f", to: directory, .fifo, attributes([.init("user.x", pattern(4096))]))
      }
    }
    #expect(error == Ext4Error(Array("d/f".utf8), .attributesTooLarge))
    #expect(error.map { "\($0)" }?.contains("d/f") == true)
  }

  @Test(
    "what ext4 can't store is refused by name",
    arguments: ["btrfs.compression", "user.", "nothing", "system.posix_acl_accessory.x", ""])
  func unsupported(name: String) throws {
    let attribute = ExtendedAttribute(name, [1])
    if name.hasPrefix("system.") {
      #expect(Ext4Writer.canStore(attribute))
      return
    }
    #expect(!Ext4Writer.canStore(attribute))
    let error = #expect(throws: Ext4Error.self) {
      try makeImage { tree, _ in try tree.add("f", .fifo, attributes([attribute])) }
    }
    #expect(error?.reason == .badAttribute(name: Array(name.utf8)))
  }

  @Test("ACLs are stored in ext4's form and read back in the system call's")
  func accessControlLists() throws {
    func entry(_ tag: UInt8, _ permissions: UInt8, _ id: UInt32) -> [UInt8] {
      [tag, 0, permissions, 0]
        + (0..<4).map { UInt8(truncatingIfNeeded: id >> (8 * UInt32($0))) }
    }
    func list(_ none: UInt32) -> [UInt8] {
      [2, 0, 0, 0] + entry(1, 6, none) + entry(2, 4, 70000) + entry(4, 4, none)
        + entry(8, 7, 1001) + entry(0x10, 7, none) + entry(0x20, 4, none)
    }
    let value = list(.max)
    let image = try makeImage { tree, _ in
      try tree.add(
        "d", .directory,
        attributes([
          .init("system.posix_acl_access", value), .init("system.posix_acl_default", value),
        ]))
    }
    try image.expectClean()
    let copy = SparseFile()
    for name in ["access", "default"] {
      _ = try image.debugfs("ea_get -f \(copy.path) d system.posix_acl_\(name)")
      // debugfs gives 0 where the system call gives -1 for "no id".
      #expect(try copy.contents() == list(0), "\(name)")
    }
    for bad: [UInt8] in [[], [1, 0, 0, 0], value.dropLast(), [2, 0, 0, 0] + entry(3, 0, 0)] {
      #expect(throws: Ext4Error.self) {
        try makeImage { tree, _ in
          try tree.add("f", .fifo, attributes([.init("system.posix_acl_access", bad)]))
        }
      }
    }
  }

  @Test("large owners, set-id bits and flags are kept; flags that would lie are not")
  func inode() throws {
    let image = try makeImage { tree, _ in
      try tree.add(
        "f", .regular(.empty),
        FileAttributes(
          permissions: 0o6755, uid: 0xffff_fffe, gid: 70000, flags: 0x10 | 0x40 | 0x800 | 0x80000))
      try tree.add("s", .symbolicLink([0x78]), FileAttributes(permissions: 0o777, flags: 0x30))
    }
    try image.expectClean()
    let said = try image.debugfs("stat f")
    #expect(said.contains("User:    -2   Group: 70000"))
    #expect(said.contains("Mode:  06755   Flags: 0x80050"))
    #expect(try image.debugfs("stat s").contains("Flags: 0x0"))
  }

  @Test("times from 1901 to 2446 are kept to the nanosecond, others moved and counted")
  func times() throws {
    func at(_ seconds: Int64) -> FileAttributes {
      FileAttributes(
        permissions: 0, modified: FileTime(seconds: seconds, nanoseconds: 123_456_789),
        created: FileTime(seconds: 1, nanoseconds: 5))
    }
    let seconds: [Int64] = [
      -(1 << 31), -1, 0, 1 << 31, 1 << 32, 1 << 33, (3 << 32) + (1 << 31) - 1,
    ]
    let image = try makeImage { tree, _ in
      for time in seconds { try tree.add("t\(time)", .fifo, at(time)) }
    }
    try image.expectClean()
    #expect(image.summary.clampedTimes == 0)
    for time in seconds {
      let said = try image.debugfs("stat t\(time)")
      let low = UInt32(truncatingIfNeeded: time)
      let epoch = UInt32(truncatingIfNeeded: (time - Int64(Int32(bitPattern: low))) >> 32)
      let expected = "mtime: 0x\(hex(low)):\(hex(123_456_789 << 2 | epoch))"
      #expect(said.contains(expected), "\(time): \(said)")
      #expect(said.contains("crtime: 0x00000001:00000014"))
    }
    let late = try makeImage { tree, _ in try tree.add("t", .fifo, at(1 << 40)) }
    #expect(late.summary.clampedTimes == 3)
    try late.expectClean()
  }

  private func hex(_ value: UInt32) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }

  @Test("65,000 names for one file are the most")
  func links() throws {
    func image(_ count: Int) throws -> Image {
      try makeImage { tree, writer in
        let file = try tree.addFile("first", [1], writer)
        for number in 1..<count {
          try tree.link(Array("l\(number)".utf8), in: FileTree.root, to: file)
        }
      }
    }
    try image(65000).expectClean()
    let error = #expect(throws: Ext4Error.self) { try image(65001) }
    #expect(error?.reason == .tooManyLinks(65001))
  }
}
