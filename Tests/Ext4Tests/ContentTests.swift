import Ext4
import FileTree
import Testing

@Suite struct ContentTests {
  @Test("contents of every awkward size come back byte by byte")
  func sizes() throws {
    let sizes = [0, 1, 511, 4095, 4096, 4097, 8192, 65536, 1_048_576, 1_048_577, 3_000_001]
    let image = try makeImage { tree, writer in
      for size in sizes { try tree.addFile("f\(size)", pattern(size, seed: size), writer) }
    }
    try image.expectClean()
    for size in sizes {
      #expect(try image.bytes("f\(size)") == pattern(size, seed: size), "\(size)")
    }
  }

  /// Pieces of data (positive) and holes (negative).
  @Test(
    "holes read as zeros and take no blocks",
    arguments: [
      [-4096], [-1], [10, -20, 30], [4096, -4096, 4096], [100, -8092, 4096], [5, -40000],
      [-5000, 1], [-1_000_000, 5000, -3, 1, -100_000], [4096, -1, 1],
    ])
  func holes(pieces: [Int]) throws {
    var expected: [UInt8] = []
    let image = try makeImage { tree, writer in
      try writer.beginFile(Array("sparse".utf8))
      for piece in pieces {
        if piece < 0 {
          expected += [UInt8](repeating: 0, count: -piece)
          try writer.appendHole(UInt64(-piece))
        } else {
          let bytes = pattern(piece, seed: piece)
          expected += bytes
          try writer.append(bytes)
        }
      }
      try tree.add("sparse", .regular(try writer.endFile()))
    }
    try image.expectClean()
    #expect(try image.bytes("sparse") == expected)
    if pieces.allSatisfy({ $0 < 0 }) {
      #expect(try image.debugfs("stat sparse").contains("Blockcount: 0"))
    }
  }

  /// Extents that one, two and three levels below the inode hold: 4 * 340, 4 * 340 * 340, more.
  @Test(
    "extent trees of every depth are sound", arguments: [(5, 1), (341, 1), (1361, 2), (462_401, 3)])
  func extents(count: Int, depth: Int) throws {
    // Zeros as content, which the sink leaves out: 1.9 GB in the deepest one.
    let zeros = [UInt8](repeating: 0, count: 2)
    let image = try makeImage { tree, writer in
      try writer.beginFile(Array("holes".utf8))
      for _ in 0..<count {
        try writer.append(zeros)
        try writer.appendHole(8190)
      }
      try tree.add("holes", .regular(try writer.endFile()))
    }
    try image.expectClean()
    #expect(try image.debugfs("ex -n holes").contains(" 0/ \(depth) "))
  }

  @Test("a file over many groups leaves the copies of the superblock alone")
  func manyGroups() throws {
    let part = pattern(1 << 20)
    let image = try makeImage { tree, writer in
      try tree.addFile("first", pattern(5000, seed: 3), writer)
      try writer.beginFile(Array("big".utf8))
      for _ in 0..<300 { try writer.append(part) }
      try tree.add("big", .regular(try writer.endFile()))
      try tree.addFile("last", pattern(5000, seed: 4), writer)
    }
    try image.expectClean()
    #expect(try image.bytes("first") == pattern(5000, seed: 3))
    #expect(try image.bytes("last") == pattern(5000, seed: 4))
    let big = try image.bytes("big")
    #expect(big.count == 300 << 20)
    for start in stride(from: 0, to: big.count, by: 37 << 20) {
      #expect(big[start..<start + (1 << 20)].elementsEqual(part))
    }
  }

  @Test("a file of 8 TiB that is one hole is a few blocks; one of 32 TiB is refused")
  func huge() throws {
    let image = try makeImage { tree, writer in
      try writer.beginFile(Array("hole".utf8))
      try writer.appendHole(8 << 40)
      try writer.append([1])
      try tree.add("hole", .regular(try writer.endFile()))
    }
    try image.expectClean()
    #expect(try image.debugfs("stat hole").contains("Size: 8796093022209"))
    for size: UInt64 in [32 << 40, .max] {
      let error = #expect(throws: Ext4Error.self) {
        try makeImage { _, writer in
          try writer.beginFile(Array("hole".utf8))
          try writer.append([1])
          try writer.appendHole(size)
        }
      }
      #expect(error == Ext4Error(Array("hole".utf8), .fileTooLarge))
    }
  }

  @Test("content that was replaced is free space and is reported")
  func dropped() throws {
    let image = try makeImage { tree, writer in
      try tree.addFile("a", pattern(100_000), writer)
      let file = try tree.addFile("b", pattern(300_000, seed: 2), writer)
      try tree.addFile("c", pattern(100_000, seed: 3), writer)
      try tree.setContent(.bytes([1, 2]), of: file)
    }
    try image.expectClean()
    #expect(image.summary.unreferenced.reduce(0) { $0 + $1.count } == 74 * 4096)
    #expect(try image.bytes("b") == [1, 2])
    #expect(try image.bytes("c") == pattern(100_000, seed: 3))
  }

  @Test("one content for two inodes, or none that was given, is refused")
  func badContent() throws {
    let twice = #expect(throws: Ext4Error.self) {
      try makeImage { tree, writer in
        let file = try tree.addFile("a", [1], writer)
        try tree.add("b", tree.kind(of: file))
      }
    }
    #expect(twice == Ext4Error(Array("b".utf8), .badContent))
    let never = #expect(throws: Ext4Error.self) {
      try makeImage { tree, _ in try tree.add("x", .regular(.reference(7, size: 1))) }
    }
    #expect(never == Ext4Error(Array("x".utf8), .badContent))
  }
}
