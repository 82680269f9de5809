import Archive
import SystemIO
import TestSupport
import Testing

@Suite struct BadArchiveTests {
  private func error(
    _ path: String, limits: ArchiveLimits = ArchiveLimits()
  ) throws -> ArchiveError {
    try #require(throws: ArchiveError.self) { _ = try readArchive(path, limits: limits) }
  }

  /// An archive of two files, the second compressible.
  private func sample(_ tar: Tar, _ options: [String] = []) throws -> [UInt8] {
    try tar.shell("head -c 70000 /dev/urandom > a; head -c 90000 /dev/zero > b")
    return try readFile(tar.pack(["a", "b"], options))
  }

  @Test("an archive cut anywhere is an error", arguments: ["plain", "gzip", "xz", "zstd", "bzip2"])
  func truncated(compression: String) throws {
    let tar = try Tar()
    let whole = try sample(tar, compression == "plain" ? [] : ["--" + compression])
    // The data and their padding end at 161,280 in the plain form; then comes the end mark.
    let lengths =
      compression == "plain"
      ? [1, 100, 511, 512, 513, 40_000, 70_656, 71_168, 71_500, 161_279, 161_280]
      : [1, 100, 40_000, 70_000]
    for length in lengths {
      let path = try tar.scratch.write("cut.tar", Array(whole.prefix(length)))
      let found = try error(path)
      #expect(found.archive == path, "\(length) bytes")
      #expect([.damaged, .notAnArchive].contains(found.kind), "\(length) bytes: \(found)")
    }
  }

  @Test("an archive without its end mark is taken for whole only where that is allowed")
  func missingEnd() throws {
    let scratch = try Scratch()
    let path = try scratch.write("a.tar", header("f", type: "0", size: 0))
    #expect(try error(path).description.contains("without its end mark"))
    #expect(try readArchive(path, allowsMissingEnd: true).map(\.path) == ["f"])
  }

  @Test("after an error every further call repeats it")
  func repeats() throws {
    let tar = try Tar()
    let path = try tar.scratch.write("cut.tar", Array(sample(tar).prefix(40_000)))
    let reader = try ArchiveReader(Descriptor.open(path, .read))
    _ = try reader.next()
    for _ in 0..<3 {
      #expect(throws: ArchiveError.self) { try reader.readData { _, _ in } }
      let found = try #require(throws: ArchiveError.self) { try reader.next() }
      #expect(found.path == Array("a".utf8))
      #expect(found.description.contains("entry 'a' at byte"))
    }
  }

  @Test("what is no archive is called so")
  func notAnArchive() throws {
    let scratch = try Scratch()
    var generator = SeededGenerator(seed: 5)
    let garbage = try error(scratch.write("garbage", generator.bytes(100_000)))
    #expect(garbage.kind == .notAnArchive)
    #expect(garbage.description.contains("give a tar archive"), "\(garbage)")
    #expect(try error(scratch.write("text", Array("hello\n".utf8))).kind == .notAnArchive)
    #expect(try error(scratch.write("empty", [])).kind == .empty)
    #expect(try error(scratch.path).kind == .system)
  }

  @Test("a flipped byte is an error or an entry, never a crash or a loop")
  func flipped() throws {
    let tar = try Tar()
    try tar.shell("echo hello > f; ln -s f s; truncate -s 1M h; setfattr -n user.a -v b f")
    let whole = try readFile(
      tar.pack(["."], ["-S", "--format=pax", "--xattrs", "--acls", "--sparse-version=0.1"]))
    let seed = UInt64.random(in: 0...UInt64.max)
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<300 {
      var bad = whole
      for _ in 0..<3 {
        bad[Int.random(in: 0..<bad.count, using: &generator)] = UInt8.random(
          in: 0...255, using: &generator)
      }
      let file = try Descriptor.open(tar.scratch.write("bad.tar", bad), .read)
      var count = 0
      do {
        let reader = try ArchiveReader(file)
        while try reader.next() != nil {
          try reader.readData { _, _ in }
          count += 1
        }
      } catch is ArchiveError {}
      #expect(count < 1000, "seed \(seed)")
    }
  }

  @Test("headers that no file system can hold are refused with the entry's name")
  func impossible() throws {
    let scratch = try Scratch()
    let uid = try error(
      scratch.write(
        "uid.tar", paxHeader("uid", Array("99999999999".utf8)) + header("f", type: "0", size: 0)))
    #expect(uid.description.contains("entry 'f'"), "\(uid)")
    #expect(uid.description.contains("owner 99999999999 is out of range"), "\(uid)")
    let huge = header("pax", type: "x", size: 4 << 20) + [UInt8](repeating: 97, count: 4 << 20)
    #expect(try error(scratch.write("huge.tar", huge + endMark)).kind == .damaged)
    let link = header("s", type: "2", size: 0) + endMark
    #expect(try error(scratch.write("link.tar", link)).description.contains("without a target"))
  }

  @Test("each limit is enforced and named, and can be raised")
  func limits() throws {
    let tar = try Tar()
    try tar.shell("for i in 1 2 3; do head -c 1000000 /dev/zero > $i; done")
    try tar.shell("setfattr -n user.a -v $(printf %01000d 0) 1")
    let archive = try tar.pack(["1", "2", "3"], ["--xattrs", "--zstd"])
    #expect(try readArchive(archive).count == 3)
    func expectLimit(_ name: String, _ change: (inout ArchiveLimits) -> Void) throws {
      var limits = ArchiveLimits()
      change(&limits)
      let found = try error(archive, limits: limits)
      #expect(found.kind == .limit(name))
      #expect(found.description.contains("raise \(name)"), "\(found)")
    }
    try expectLimit("entries") { $0.entries = 2 }
    try expectLimit("totalBytes") { $0.totalBytes = 2_999_999 }
    try expectLimit("attributeBytes") { $0.attributeBytes = 1000 }
    try expectLimit("filters") { $0.filters = 0 }
    try expectLimit("ratio") { $0.ratioGrace = 100_000 }
  }
}
