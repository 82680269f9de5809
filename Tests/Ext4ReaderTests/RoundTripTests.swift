import Ext4
import Ext4Reader
import FileTree
import SystemIO
import TestSupport
import Testing

@Suite struct RoundTripTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// Compares what was meant with what is read, entry by entry.
  private func expectSame(_ written: FileTree, _ read: Ext4Tree, _ streamed: [[UInt8]: [UInt8]])
    throws
  {
    #expect(read.tree.entryCount == written.entryCount + 1, "lost+found comes on top")
    for step in written.walk() {
      let path = written.path(of: step.directory) + [0x2f] + step.name
      let found = try #require(read.tree.lookUp(path), "\(printable(path)) is missing")
      var (meant, got) = (written[step.node], read.tree[found])
      if meant.created == nil { got.created = nil }
      meant.extended.sort { $0.name.lexicographicallyPrecedes($1.name) }
      #expect(meant == got, "\(printable(path))")
      #expect(written.linkCount(of: step.node) == read.tree.linkCount(of: found))
      switch (written.kind(of: step.node), read.tree.kind(of: found)) {
      case (.regular(.bytes(let bytes)), .regular(.reference(let number, _))):
        #expect(try Ext4ReaderTests.bytes(number, in: read) == bytes)
      case (.regular(.reference), .regular(.reference(let number, let size))):
        let bytes = try Ext4ReaderTests.bytes(number, in: read, piece: 1000)
        #expect(bytes == streamed[step.name] && UInt64(bytes.count) == size, "\(step.name)")
      case (let a, let b): #expect(a == b, "\(printable(path))")
      }
    }
  }

  @Test("every kind and attribute that our writer writes is read back")
  func everything() throws {
    func entry(_ tag: UInt8, _ id: UInt8) -> [UInt8] {
      [tag, 0, 6, 0] + (id == 0xff ? [255, 255, 255, 255] : [id, 0, 1, 0])
    }
    let acl = [2, 0, 0, 0] + entry(1, 0xff) + entry(2, 7) + entry(4, 0xff) + entry(16, 0xff)
    let full = FileAttributes(
      permissions: 0o6751, uid: 0xffff_fffe, gid: 70000,
      modified: FileTime(seconds: -5, nanoseconds: 999_999_999),
      accessed: FileTime(seconds: 1 << 33, nanoseconds: 1),
      changed: FileTime(seconds: 1_700_000_000, nanoseconds: 123_456_789),
      created: FileTime(seconds: 3, nanoseconds: 7), flags: 0x40,
      extended: [
        .init("security.selinux", Array("system_u:object_r:etc_t:s0\0".utf8)),
        .init("user.large", pattern(3000)), .init("user.empty", []),
        .init(name: Array("user.".utf8) + [0xe9, 0xff], value: [1]),
        .init("system.posix_acl_access", acl), .init("system.posix_acl_default", acl),
        .init("trusted.overlay.opaque", [0x79]),
      ])
    var streamed: [[UInt8]: [UInt8]] = [:]
    let image = try writeImage(scratch) { tree, writer in
      let directory = try tree.add(Array("d".utf8), to: FileTree.root, .directory, full)
      let plain = FileAttributes(permissions: 0o644)
      for kind in [
        FileKind.fifo, .socket, .characterDevice(major: 5, minor: 1),
        .characterDevice(major: 0, minor: 0), .blockDevice(major: 4095, minor: 0xf_ffff),
        .symbolicLink(Array("short".utf8)), .symbolicLink(Array(repeating: 0x61, count: 59)),
        .symbolicLink(Array(repeating: 0x61, count: 60)),
        .symbolicLink(Array(repeating: 0x62, count: 4095)), .regular(.empty),
        .regular(.bytes(pattern(5000))),
      ].enumerated() {
        try tree.add(Array("k\(kind.offset)".utf8), to: directory, kind.element, plain)
      }
      let names: [[UInt8]] = [[0x0a], [0xff, 0xfe], Array(repeating: 0xe9, count: 255), [0x5c]]
      for name in names { try tree.add(name, to: directory, .fifo, full) }
      for count in [1, 4096, 4097, 100_000] {
        let name = Array("s\(count)".utf8)
        streamed[name] = pattern(count)
        try writer.beginFile(name)
        try writer.append(pattern(count))
        try tree.add(name, to: directory, .regular(try writer.endFile()), plain)
      }
      let link = try #require(tree.lookUp("d/s4096"))
      streamed[Array("again".utf8)] = pattern(4096)
      try tree.link(Array("again".utf8), in: FileTree.root, to: link)
      let symbolic = try #require(tree.lookUp("d/k5"))
      try tree.link(Array("link".utf8), in: FileTree.root, to: symbolic)
    }
    try Tool.check("e2fsck", ["-fn", image.path])
    try expectSame(image.tree, try read(image.path), streamed)
  }

  @Test("a sparse file of many extents reads as written, its tree two levels deep")
  func sparse() throws {
    var expected: [UInt8] = []
    let image = try writeImage(scratch) { tree, writer in
      try writer.beginFile([0x66])
      for index in 0..<1500 {
        let piece = [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: 100)
        try writer.append(piece)
        try writer.appendHole(8192)
        expected += piece + [UInt8](repeating: 0, count: 8192)
      }
      try tree.add(
        [0x66], to: FileTree.root, .regular(try writer.endFile()), .init(permissions: 0))
    }
    #expect(try contents("f", in: read(image.path)) == expected)
  }

  @Test("an indexed directory of 20,000 names is read whole", arguments: [200, 20_000])
  func largeDirectory(count: Int) throws {
    let image = try writeImage(scratch) { tree, _ in
      for number in 0..<count {
        let name = Array("a rather long name, so that blocks fill \(number)".utf8)
        try tree.add(name, to: FileTree.root, .regular(.empty), .init(permissions: 0o600))
      }
    }
    let found = try read(image.path).tree
    #expect(found.entryCount == count + 1)
    let first = found.children(of: FileTree.root).prefix(count).map(\.name)
    #expect(first == image.tree.children(of: FileTree.root).map(\.name))
  }

  @Test("a directory deeper than any path and a set shared by many inodes are read")
  func deep() throws {
    let set = [ExtendedAttribute("user.shared", pattern(300))]
    let image = try writeImage(scratch) { tree, _ in
      var node = FileTree.root
      for _ in 0..<3000 {
        node = try tree.add(
          [0x64], to: node, .directory, FileAttributes(permissions: 0o755, extended: set))
      }
    }
    let found = try read(image.path).tree
    #expect(found.walk().map(\.depth).max() == 3000)
    #expect(found.walk().filter { found[$0.node].extended == set }.count == 3000)
  }
}
