import Archive
import SystemIO
import TestSupport
import Testing

@Suite struct TarWriterTests {
  @Test("tar lists and unpacks what was written, in its order")
  func unpack() throws {
    let scratch = try Scratch()
    var generator = SeededGenerator(seed: 1)
    let large = generator.bytes(3_000_001)
    let file = try Descriptor.open(scratch.write("large", large), .read)
    let members = [
      TarMember(name: "b.txt", content: .bytes(Array("text\n".utf8))),
      TarMember(name: "a.bin", content: .file(file)),
      TarMember(name: "empty", content: .bytes([])),
    ]
    for name in ["one.tar", "two.tar"] { try writeTar(members, to: scratch.create(name)) }
    #expect(try readFile(scratch.file("one.tar")) == readFile(scratch.file("two.tar")))
    let list = try Tool.check("tar", ["-tf", scratch.file("one.tar")])
    #expect(list == "b.txt\na.bin\nempty\n")
    try Tool.check("tar", ["-xf", scratch.file("one.tar")], in: scratch.path)
    #expect(try readFile(scratch.file("a.bin")) == large)
    let kind = try Tool.check("file", ["-b", scratch.file("one.tar")])
    #expect(kind.hasPrefix("POSIX tar archive"), "\(kind)")
  }

  @Test("names with directories, no name and full disks are errors")
  func refused() throws {
    let scratch = try Scratch()
    for name in ["", "a/b", String(repeating: "x", count: 101)] {
      #expect(throws: ArchiveError.self) {
        try writeTar([TarMember(name: name, content: .bytes([]))], to: scratch.create("bad.tar"))
      }
    }
    let full = try Descriptor.open("/dev/full", .write)
    let error = #expect(throws: ArchiveError.self) {
      try writeTar([TarMember(name: "a", content: .bytes([1]))], to: full)
    }
    #expect("\(error as Any)".contains("No space left on device"), "\(error as Any)")
  }
}
