import Ext4
import FileTree
import Testing

@Suite struct KindTests {
  @Test("an empty tree is a clean file system with lost+found")
  func empty() throws {
    let image = try makeImage { _, _ in }
    try image.expectClean()
    #expect(try image.debugfs("stat lost+found").contains("Inode: 11   Type: directory"))
    #expect(image.summary.usedInodeCount == 11)
  }

  @Test("every kind of file keeps its type, number and target")
  func kinds() throws {
    let long = [UInt8](repeating: UInt8(ascii: "x"), count: 4095)
    let image = try makeImage { tree, writer in
      let sub = try tree.add("sub", .directory)
      try tree.addFile("file", to: sub, pattern(10000), writer)
      try tree.add("held", .regular(.bytes(pattern(5000, seed: 2))))
      try tree.add("none", .regular(.empty))
      try tree.add("fifo", .fifo)
      try tree.add("socket", .socket)
      try tree.add("null", .characterDevice(major: 1, minor: 3))
      try tree.add("whiteout", .characterDevice(major: 0, minor: 0))
      try tree.add("disk", .blockDevice(major: 259, minor: 70000))
      try tree.add("short", .symbolicLink(Array("sub/file".utf8)))
      try tree.add("edge59", .symbolicLink(Array(long[..<59])))
      try tree.add("edge60", .symbolicLink(Array(long[..<60])))
      let link = try tree.add("long", .symbolicLink(long))
      try tree.link(Array("again".utf8), in: sub, to: link)
    }
    try image.expectClean()
    #expect(try image.bytes("sub/file") == pattern(10000))
    #expect(try image.bytes("held") == pattern(5000, seed: 2))
    let said = try image.debugfs(
      "stat fifo\nstat socket\nstat null\nstat whiteout\nstat disk\nstat short\nstat sub/again")
    for part in [
      "Type: FIFO", "Type: socket", "Device major/minor number: 01:03",
      "Device major/minor number: 00:00", "Device major/minor number: 259:70000",
      "Fast link dest: \"sub/file\"", "Links: 2",
    ] { #expect(said.contains(part), "\(part)") }
    #expect(try image.bytes("sub/again") == long)
  }
}
