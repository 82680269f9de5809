import Archive
import SystemIO
import TestSupport
import Testing

@Suite struct AttributeTests {
  private func value(_ name: String, of entry: ArchiveEntry) -> [UInt8]? {
    entry.attributes.first { $0.name == Array(name.utf8) }?.value
  }

  /// An ACL in the form of the system calls.
  private func acl(_ items: [(tag: UInt16, permissions: UInt16, id: UInt32)]) -> [UInt8] {
    items.reduce(into: [2, 0, 0, 0]) { bytes, item in
      withUnsafeBytes(of: item.tag) { bytes += $0 }
      withUnsafeBytes(of: item.permissions) { bytes += $0 }
      withUnsafeBytes(of: item.id) { bytes += $0 }
    }
  }

  private let nobody = UInt32.max

  @Test("extended attributes arrive byte for byte")
  func attributes() throws {
    let tar = try Tar()
    try tar.shell(
      """
      echo > f; setfattr -n user.binary -v 0x00ff0a00 f; setfattr -n user.empty f
      setfattr -n user.$'n\\351' -v x f
      """)
    let archive = try tar.pack(["f"], ["--xattrs", "--xattrs-include=*"])
    let entry = try #require(readArchive(archive).first?.entry)
    #expect(value("user.binary", of: entry) == [0, 0xff, 10, 0])
    #expect(value("user.empty", of: entry) == [])
    #expect(entry.attributes.contains { $0.name == Array("user.n".utf8) + [0xe9] })
    #expect(entry.warnings == [])
  }

  @Test("a capability arrives byte for byte")
  func capability() throws {
    // CAP_NET_RAW, revision 2 (linux/capability.h).
    let bytes = [1, 0, 0, 2, 0, 0x20] + [UInt8](repeating: 0, count: 14)
    let scratch = try Scratch()
    let path = try scratch.write(
      "a.tar",
      paxHeader("SCHILY.xattr.security.capability", bytes) + header("ping", type: "0", size: 0)
        + endMark)
    let entry = try #require(readArchive(path).first?.entry)
    #expect(value("security.capability", of: entry) == bytes)
  }

  @Test("SELinux labels arrive, from GNU tar's own header too")
  func label() throws {
    let label = Array("system_u:object_r:etc_t:s0".utf8)
    let scratch = try Scratch()
    let path = try scratch.write(
      "a.tar",
      paxHeader("RHT.security.selinux", label) + header("f", type: "0", size: 0) + endMark)
    let entry = try #require(readArchive(path).first?.entry)
    #expect(value("security.selinux", of: entry) == label)
  }

  @Test("an ACL of names and numbers becomes the kernel's form", arguments: [true, false])
  func accessControlList(asAttributes: Bool) throws {
    let tar = try Tar()
    try tar.shell(
      """
      echo > f; chmod 640 f; setfacl -m u:65001:rw,g:65002:x,u:daemon:r,m::rwx f
      mkdir d; setfacl -d -m u:65003:rwx d
      """)
    let options = ["--acls"] + (asAttributes ? ["--xattrs", "--xattrs-include=*"] : [])
    let archive = try tar.pack(["f", "d"], options)
    var entry = try #require(readArchive(archive).first?.entry)
    let whole = acl([
      (1, 6, nobody), (2, 4, 1), (2, 6, 65001), (4, 4, nobody), (8, 1, 65002), (0x10, 7, nobody),
      (0x20, 0, nobody),
    ])
    // The group's bits of the mode are the mask.
    #expect(entry.permissions == 0o670)
    if !asAttributes {
      #expect(entry.warnings.count == 1)
      #expect(entry.unresolvedACLEntries.map(\.name) == [Array("daemon".utf8)])
      entry.resolveACLEntries(user: { $0 == Array("daemon".utf8) ? 1 : nil }, group: { _ in nil })
    }
    #expect(value("system.posix_acl_access", of: entry) == whole)
    #expect(entry.warnings == [])
    let directory = try #require(readArchive(archive).last?.entry)
    #expect(
      value("system.posix_acl_default", of: directory)
        == acl([
          (1, 7, nobody), (2, 7, 65003), (4, 5, nobody), (0x10, 7, nobody), (0x20, 5, nobody),
        ]))
  }

  @Test("inode flags arrive")
  func flags() throws {
    let scratch = try Scratch()
    let path = try scratch.write(
      "a.tar",
      paxHeader("SCHILY.fflags", Array("sappnd,nodump".utf8)) + header("f", type: "0", size: 0)
        + endMark)
    // FS_APPEND_FL and FS_NODUMP_FL of linux/fs.h.
    #expect(try readArchive(path).first?.entry.inodeFlags == 0x60)
  }
}
