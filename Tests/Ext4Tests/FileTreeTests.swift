import FileTree
import Testing

@Suite struct FileTreeTests {
  private let plain = FileAttributes(permissions: 0o755)

  private func names(_ tree: FileTree) -> [String] {
    tree.walk().map { String(repeating: " ", count: $0.depth - 1) + printable($0.name) }
  }

  @Test("a walk goes by bytes, each directory before its entries")
  func order() throws {
    var tree = FileTree()
    for path in ["b/z", "b/a", "a", "B", "b-", "b/a/x"] {
      try tree.makeDirectories(Array(path.utf8), plain)
    }
    #expect(names(tree) == ["B", "a", "b", " a", "  x", " z", "b-"])
    #expect(tree.nodeCount == 8)
    #expect(tree.entryCount == 7)
  }

  @Test("links are followed inside the tree and never out of it")
  func resolve() throws {
    var tree = FileTree()
    let etc = try tree.makeDirectories(Array("usr/etc".utf8), plain)
    let file = try tree.add("f", to: etc, .regular(.empty))
    try tree.add("etc", .symbolicLink(Array("/usr/etc".utf8)))
    try tree.add("up", .symbolicLink(Array("../../../usr/./etc/../etc".utf8)))
    try tree.add("loop", .symbolicLink(Array("loop".utf8)))
    #expect(try tree.resolve("/etc/f") == file)
    #expect(try tree.resolve("up/f") == file)
    #expect(tree.lookUp("etc/f") == nil)
    #expect(tree.lookUp("usr/etc/f") == file)
    #expect(try tree.resolve("etc/none") == nil)
    #expect(throws: FileTreeError("follow", Array("loop/x".utf8), .linkLoop)) {
      try tree.resolve("loop/x")
    }
    #expect(try tree.resolve(Array("loop".utf8), followLast: false) != nil)
    #expect(tree.path(of: file) == Array("usr/etc/f".utf8))
  }

  @Test("removal, renaming and hard links keep the counts")
  func changes() throws {
    var tree = FileTree()
    let a = try tree.add("a", .directory)
    let file = try tree.add("f", to: a, .regular(.bytes([1])))
    try tree.link(Array("g".utf8), in: FileTree.root, to: file)
    try tree.link(Array("h".utf8), in: FileTree.root, to: file)
    #expect(tree.linkCount(of: file) == 3)
    try tree.remove(Array("a".utf8), from: FileTree.root)
    #expect(tree.linkCount(of: file) == 2)
    #expect(tree.nodeCount == 2 && tree.entryCount == 2)
    try tree.rename(Array("g".utf8), in: FileTree.root, to: Array("i".utf8), in: FileTree.root)
    #expect(names(tree) == ["h", "i"])
    let b = try tree.add("b", .directory)
    let c = try tree.add("c", to: b, .directory)
    #expect(throws: FileTreeError("rename", Array("b".utf8), .belowItself)) {
      try tree.rename(Array("b".utf8), in: FileTree.root, to: Array("d".utf8), in: c)
    }
    try tree.rename(Array("c".utf8), in: b, to: Array("c".utf8), in: FileTree.root)
    #expect(names(tree) == ["b", "c", "h", "i"])
    try tree.setContent(.bytes([2, 3]), of: file)
    #expect(tree.kind(of: file) == .regular(.bytes([2, 3])))
  }

  @Test("a directory given again keeps its entries; other things give way")
  func place() throws {
    var tree = FileTree()
    let name = Array("x".utf8)
    let x = try tree.place(name, in: FileTree.root, .directory, plain)
    try tree.add("in", to: x, .fifo)
    let late = FileAttributes(permissions: 0o700, uid: 5)
    #expect(try tree.place(name, in: FileTree.root, .directory, late) == x)
    #expect(tree[x] == late)
    #expect(throws: FileTreeError("replace", name, .isDirectory)) {
      try tree.place(name, in: FileTree.root, .fifo, plain)
    }
    let first = try tree.place(Array("y".utf8), in: FileTree.root, .fifo, plain)
    let second = try tree.place(Array("y".utf8), in: FileTree.root, .socket, plain)
    #expect(first != second)
    #expect(tree.linkCount(of: first) == 0)
    #expect(tree.nodeCount == 4)
  }

  @Test("files are written where the guest's links lead")
  func writeFile() throws {
    var tree = FileTree()
    try tree.makeDirectories(Array("run/real".utf8), plain)
    try tree.add("etc", .symbolicLink(Array("run/real".utf8)))
    try tree.writeFile("/etc/new/hostname", [1], FileAttributes(permissions: 0o644))
    let node = try #require(tree.lookUp("run/real/new/hostname"))
    try tree.writeFile("/etc/new/hostname", [2], plain)
    #expect(tree.kind(of: node) == .regular(.bytes([2])))
    #expect(tree[node].permissions == 0o644)
    try tree.writeFile("top", [3], plain)
    #expect(tree.lookUp("top") != nil)
  }

  @Test("names that are none are refused", arguments: ["", ".", "..", "a/b", "a\0"])
  func badNames(name: String) throws {
    var tree = FileTree()
    #expect(throws: FileTreeError("add", Array(name.utf8), .invalidName)) {
      try tree.add(name, .fifo)
    }
    try tree.add("taken", .fifo)
    #expect(throws: FileTreeError.self) { try tree.add("taken", .fifo) }
  }

  @Test("a table of 200,000 names survives removal and reuse")
  func churn() throws {
    var tree = FileTree()
    for number in 0..<100_000 { try tree.add("n\(number)", .fifo) }
    for number in stride(from: 0, to: 100_000, by: 2) {
      try tree.remove(Array("n\(number)".utf8), from: FileTree.root)
    }
    for number in 0..<100_000 { try tree.add("m\(number)", .fifo) }
    #expect(tree.entryCount == 150_000)
    #expect(tree.lookUp("n3") != nil && tree.lookUp("n4") == nil && tree.lookUp("m4") != nil)
  }

  @Test("bytes that are no text are shown escaped")
  func shown() {
    #expect(printable(Array("a\u{202e}\u{9b}b".utf8)) == "a\\xe2\\x80\\xae\\xc2\\x9bb")
    #expect(printable([0x61, 0xff, 0x0a, 0xc3, 0xa9, 0xc3]) == "a\\xff\\x0aé\\xc3")
  }

  @Test("a file's bytes in the tree can be replaced, emptied and given to the disk")
  func heldContents() throws {
    var tree = FileTree()
    let first = try tree.add("first", .regular(.bytes([1, 2, 3])))
    let second = try tree.add("second", .regular(.empty))
    let copy = tree
    try tree.setContent(.bytes([4]), of: second)
    try tree.setContent(.empty, of: first)
    #expect(tree.kind(of: first) == .regular(.empty))
    #expect(tree.kind(of: second) == .regular(.bytes([4])))
    try tree.setContent(.reference(7, size: 9), of: second)
    try tree.setContent(.bytes([5, 6]), of: first)
    #expect(tree.kind(of: first) == .regular(.bytes([5, 6])))
    #expect(tree.kind(of: second) == .regular(.reference(7, size: 9)))
    #expect(copy.kind(of: first) == .regular(.bytes([1, 2, 3])))
  }
}
