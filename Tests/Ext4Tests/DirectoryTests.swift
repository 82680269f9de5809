import Ext4
import FileTree
import Glibc
import Testing

@Suite struct DirectoryTests {
  /// Directories from one block to an index of two levels.
  @Test("a directory of many names is indexed and complete", arguments: [10, 200, 5000, 100_000])
  func manyNames(count: Int) throws {
    let image = try makeImage { tree, _ in
      let directory = try tree.add("d", .directory)
      for number in 0..<count {
        try tree.add("name-\(number)-of-a-usual-length.txt", to: directory, .regular(.empty))
      }
    }
    try image.expectClean()
    let listed = try image.debugfs("ls -p d").split(separator: "\n")
      .count { $0.contains("/name-") }
    #expect(listed == count)
    // A look-up through the index finds names at both ends of the order.
    for number in [0, count - 1] {
      let said = try image.debugfs("stat d/name-\(number)-of-a-usual-length.txt")
      #expect(said.contains("Type: regular"))
    }
    let index = try image.debugfs("htree d")
    if count <= 10 {
      #expect(index.contains("Not a hash-indexed directory"))
    } else {
      #expect(index.contains("Hash Version: 1"))
      #expect(index.contains("Indirect levels: \(count == 100_000 ? 1 : 0)"))
      #expect(!index.contains("invalid") && !index.contains("rror"))
    }
  }

  @Test("e2fsck rebuilds every index to the same size", arguments: [1, 10, 100, 255])
  func sameAsRebuilt(length: Int) throws {
    let counts = length == 1 ? [3, 15, 36] : [3, 15, 150, 500, 20000]
    let image = try makeImage { tree, _ in
      for count in counts {
        let directory = try tree.add("d\(count)", .directory)
        for number in 0..<count {
          let name = String(number, radix: 36)
          let padding = String(repeating: "-", count: max(0, length - name.count))
          try tree.add(name + padding, to: directory, .fifo)
        }
      }
    }
    try image.expectClean()
    try image.expectNothingToOptimize(counts.map { "d\($0)" })
  }

  @Test("names of equal hash that two leaves share are marked for the look-up")
  func sharedHash() throws {
    let image = try makeImage { tree, _ in
      let directory = try tree.add("d", .directory)
      // Found by trial: with this prefix and the tests' seed two neighbours have one hash.
      let padding = String(repeating: "-", count: 200)
      for number in 0..<3000 { try tree.add("817-\(number)-\(padding)", to: directory, .fifo) }
    }
    try image.expectClean()
    // An odd hash in the index says that names of it begin in the leaf before.
    let index = try image.debugfs("htree d").split(separator: "\n")
      .filter { $0.hasPrefix("Entry #") }
    let odd = index.filter { line in
      line.split(separator: " ").contains {
        $0.hasPrefix("0x") && "13579bdf".contains($0.dropLast().last ?? "0")
      }
    }
    #expect(odd.count == 1, "\(index)")
  }

  @Test("names of 255 bytes, of any bytes, stay as they are", arguments: [0, 300])
  func strangeNames(others: Int) throws {
    let plain = FileAttributes(permissions: 0o600)
    var names: [[UInt8]] = [
      [UInt8](repeating: 0xff, count: 255), [0x0a], [0x5c], [0x20], [0x80, 0xfe, 0x01],
      Array("e\u{301}".utf8), Array("\u{e9}".utf8), Array("...".utf8),
    ]
    // Enough for an index, so that bytes above 127 are hashed.
    for number in 0..<others { names.append([UInt8(128 + number % 100), UInt8(1 + number / 100)]) }
    let image = try makeImage { tree, _ in
      let directory = try tree.add("d", .directory)
      for name in names { try tree.add(name, to: directory, .regular(.empty), plain) }
    }
    try image.expectClean()
    let copy = SparseFile()
    let place = copy.path + ".d"
    defer { _ = try? run("rm", ["-rf", place]) }  // What is left lies under /tmp.
    #expect(mkdir(place, 0o700) == 0)
    _ = try image.debugfs("rdump d \(place)")
    let stream = try #require(opendir(place + "/d"))
    defer { closedir(stream) }
    var found: Set<[UInt8]> = []
    while let entry = readdir(stream) {
      found.insert(withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) })
    }
    #expect(found == Set(names + [[0x2e], [0x2e, 0x2e]]))
  }

  @Test("a name of 256 bytes is refused with its path")
  func longName() throws {
    let name = [UInt8](repeating: UInt8(ascii: "n"), count: 256)
    let error = #expect(throws: Ext4Error.self) {
      try makeImage { tree, _ in try tree.add(name, to: FileTree.root, .fifo, .init(permissions: 0))
      }
    }
    #expect(error?.reason == .nameTooLong(256))
    #expect(error?.path == name)
  }

  @Test("more than 65,000 directories in one are counted as the kernel does")
  func manyDirectories() throws {
    let image = try makeImage { tree, _ in
      let directory = try tree.add("d", .directory)
      for number in 0..<65001 { try tree.add("\(number)", to: directory, .directory) }
    }
    try image.expectClean()
    #expect(try image.debugfs("stat d").contains("Links: 1 "))
  }

  @Test("a directory 2,000 deep needs no recursion")
  func deep() throws {
    let image = try makeImage { tree, writer in
      var directory = FileTree.root
      for _ in 0..<2000 { directory = try tree.add("down", to: directory, .directory) }
      try tree.addFile("bottom", to: directory, [1, 2, 3], writer)
    }
    try image.expectClean()
  }

  @Test("lost+found in the tree is adopted, and one that is a file stays a file")
  func lostAndFound() throws {
    let adopted = try makeImage { tree, writer in
      let found = try tree.add("lost+found", .directory, FileAttributes(permissions: 0o700, uid: 7))
      try tree.addFile("#12", to: found, [1], writer)
      try tree.add("a", .directory)
    }
    try adopted.expectClean()
    let said = try adopted.debugfs("stat lost+found")
    #expect(said.contains("Inode: 11 ") && said.contains("User:     7"))
    #expect(try adopted.bytes("lost+found/#12") == [1])

    let file = try makeImage { tree, writer in
      try tree.addFile("lost+found", pattern(9), writer)
      try tree.add("a", .directory)
    }
    try file.expectClean()
    #expect(try file.bytes("lost+found") == pattern(9))
  }
}
