import Archive
import Foundation
import SystemIO
import TestSupport
import Testing

@Suite struct ArchiveReaderTests {
  static let names: [[UInt8]] = [
    Array("plain".utf8), Array("caf\u{e9}".utf8), Array("cafe\u{301}".utf8),
    Array("latin".utf8) + [0xe9], Array("bad".utf8) + [0xff, 0xfe, 0x80],
    Array("line\nback\\slash ".utf8),
    // A surrogate as CESU-8 has it, which a converter would rewrite.
    [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80],
    .init(repeating: 0x6e, count: 255), .init(repeating: 0xe9, count: 255),
  ]

  @Test("names and link targets are the archive's bytes", arguments: ["gnu", "pax"])
  func names(format: String) throws {
    let tar = try Tar()
    for name in Self.names {
      // The shell's own escapes: a String can't hold such names.
      let escaped = name.map { byte in
        let digits = String(byte, radix: 8)
        return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
      }.joined()
      try tar.shell("n=$'\(escaped)'; echo x > \"$n\"; ln -s \"$n\" s; mv s \"l$RANDOM$RANDOM\"")
    }
    let entries = try readArchive(tar.pack(options(format)))
    let files = entries.filter { $0.entry.kind == .regular }.map {
      Array($0.entry.path.dropFirst(2))
    }
    #expect(Set(files) == Set(Self.names))
    var targets: Set<[UInt8]> = []
    for case .symbolicLink(let target) in entries.map(\.entry.kind) { targets.insert(target) }
    #expect(targets == Set(Self.names))
    #expect(entries.flatMap(\.entry.warnings) == [])
  }

  private func options(_ format: String) -> [String] { ["--format=" + format, "."] }

  @Test(
    "every kind of file arrives with all that the archive says of it", arguments: ["gnu", "pax"])
  func kinds(format: String) throws {
    let tar = try Tar()
    try tar.shell(
      """
      mkdir d; printf hello > f; ln f z-hard; ln -s d/../f s; mkfifo p
      chmod 6751 f; chmod 1777 d
      touch -d '1915-03-04 05:06:07.123456789 UTC' f; touch -hd '2400-01-01 00:00:00.5 UTC' s
      """)
    let owner = ["--owner=:4000000000", "--group=:3000000000"]
    let entries = try readArchive(tar.pack(["."], ["--format=" + format] + owner))
    func entry(_ path: String) throws -> ArchiveEntry {
      try #require(entries.first { $0.path == "./" + path }, "\(path)").entry
    }
    #expect(try entry("d/").kind == .directory)
    #expect(try entry("d/").permissions == 0o1777)
    #expect(try entry("p").kind == .fifo)
    #expect(try entry("s").kind == .symbolicLink(Array("d/../f".utf8)))
    #expect(try entry("z-hard").kind == .hardLink(Array("./f".utf8)))
    let file = try entry("f")
    #expect(file.kind == .regular)
    #expect(entries.first { $0.path == "./f" }?.data == Array("hello".utf8))
    #expect(file.permissions == 0o6751)
    #expect(file.uid == 4_000_000_000)
    #expect(file.gid == 3_000_000_000)
    // Before 1970 and after 2242; GNU's own format has whole seconds.
    let isPax = format == "pax"
    #expect(
      file.modified == Timestamp(seconds: -1_730_314_433, nanoseconds: isPax ? 123_456_789 : 0))
    #expect(
      try entry("s").modified
        == Timestamp(seconds: 13_569_465_600, nanoseconds: isPax ? 500_000_000 : 0))
  }

  @Test("device nodes keep their numbers")
  func devices() throws {
    let scratch = try Scratch()
    let path = try scratch.write(
      "a.tar",
      header("c", type: "3", size: 0, device: (5, 300))
        + header("b", type: "4", size: 0, device: (259, 1_048_575)) + endMark)
    let kinds = try readArchive(path).map(\.entry.kind)
    #expect(
      kinds == [
        .characterDevice(major: 5, minor: 300), .blockDevice(major: 259, minor: 1_048_575),
      ])
  }

  @Test(
    "holes stay holes in every form GNU tar has for them",
    arguments: [["--format=gnu"]]
      + ["0.0", "0.1", "1.0"].map {
        ["--format=pax", "--sparse-version=" + $0]
      })
  func sparse(options: [String]) throws {
    let tar = try Tar()
    try tar.shell(
      """
      truncate -s 40M many
      for i in 1 2 3 5 8 13 21 34; do printf $i | dd of=many bs=1 seek=${i}M conv=notrunc status=none; done
      truncate -s 8G hole; printf end > full
      """)
    let archive = try tar.pack(["many", "full"], ["-S"] + options)
    let entries = try readArchive(archive)
    #expect(entries.map(\.path) == ["many", "full"])
    #expect(entries[0].data == (try readFile(tar.tree + "/many")))
    #expect(entries[0].stored < 1 << 20)
    #expect(entries[0].entry.dataRanges?.count == 8)
    #expect(entries[1].entry.dataRanges == nil)

    let reader = try ArchiveReader(Descriptor.open(tar.pack(["hole"], ["-S"] + options), .read))
    let hole = try #require(try reader.next())
    #expect(hole.size == 8 << 30)
    #expect(hole.dataRanges == [])
    try reader.readData { _, _ in Issue.record("a hole has data") }
    #expect(try reader.next() == nil)
  }

  @Test(
    "every compression is read, from a file and from a pipe",
    arguments: ["gzip", "xz", "zstd", "bzip2", "lzma"])
  func compressions(program: String) throws {
    let tar = try Tar()
    var generator = SeededGenerator(seed: 4)
    let content = generator.bytes(900_000)
    try tar.scratch.write("tree/f", content)
    let option = program == "lzma" ? "--lzma" : "--" + program
    let archive = try tar.pack(["f"], [option])
    #expect(try readArchive(archive).first?.data == content)
    let pipe = tar.scratch.file("pipe")
    try Tool.check("mkfifo", [pipe])
    let bytes = try readFile(archive)
    Thread.detachNewThread {
      // Waits until the reader opens its end; where that goes away early, its own expectation
      // fails.
      try? Descriptor.open(pipe, .write).write(bytes)
    }
    #expect(try readArchive(pipe).first?.data == content)
  }

  @Test("entries not read are skipped, and a name that comes twice is given twice")
  func skipping() throws {
    let tar = try Tar()
    try tar.shell("head -c 3000000 /dev/zero > big; printf one > twice")
    let archive = try tar.pack(["big", "twice"])
    try tar.shell("printf second > twice")
    try Tool.check("tar", ["-C", tar.tree, "-rf", archive, "twice"])
    let reader = try ArchiveReader(Descriptor.open(archive, .read))
    #expect(try reader.next()?.size == 3_000_000)
    #expect(try reader.next()?.size == 3)
    #expect(try reader.next()?.size == 6)
    #expect(try reader.next() == nil)
    #expect(try reader.next() == nil)
  }

  @Test("a hard link may come before its target, in the archive's order")
  func linkFirst() throws {
    let scratch = try Scratch()
    let path = try scratch.write(
      "a.tar",
      header("link", type: "1", size: 0, link: "target") + header("target", type: "0", size: 0)
        + endMark)
    let kinds = try readArchive(path).map(\.entry.kind)
    #expect(kinds == [.hardLink(Array("target".utf8)), .regular])
  }
}
