import Archive
import SystemIO
import TestSupport
import Testing

@Suite struct DiscWriterTests {
  private let files = [
    DiscFile(name: "meta-data", content: Array("instance-id: i-1\n".utf8)),
    DiscFile(name: "user-data", content: Array("#cloud-config\n{}\n".utf8)),
    DiscFile(name: "network-config", content: [UInt8](repeating: 0x61, count: 70_000)),
    DiscFile(name: "empty", content: []),
  ]

  @Test("cloud-init's tools find the volume and read the files")
  func seed() throws {
    let scratch = try Scratch()
    try writeDisc(files, volumeID: "CIDATA", to: scratch.create("seed.iso"))
    let path = scratch.file("seed.iso")
    let facts = try Tool.check("blkid", ["-p", "-o", "export", path])
    #expect(facts.contains("LABEL=CIDATA"), "\(facts)")
    #expect(facts.contains("TYPE=iso9660"), "\(facts)")
    for form in ["-R", "-J"] {
      let list = try Tool.check("isoinfo", [form, "-f", "-i", path])
      #expect(
        Set(list.split(separator: "\n").map(String.init)) == Set(files.map { "/" + $0.name }))
      for file in files where !file.content.isEmpty {
        let content = try Tool.check("isoinfo", [form, "-i", path, "-x", "/" + file.name])
        #expect(Array(content.utf8) == file.content, "\(form) \(file.name)")
      }
    }
  }

  @Test("the clock does not change a byte")
  func deterministic() throws {
    let scratch = try Scratch()
    try writeDisc(files, volumeID: "CIDATA", to: scratch.create("a.iso"))
    // Directory records and descriptors have whole seconds.
    try Tool.check("sleep", ["1.1"])
    try writeDisc(files, volumeID: "CIDATA", to: scratch.create("b.iso"))
    let first = try readFile(scratch.file("a.iso"))
    #expect(first == (try readFile(scratch.file("b.iso"))))
    try writeDisc(
      files, volumeID: "CIDATA", time: Timestamp(seconds: 1_700_000_000),
      to: scratch.create("c.iso"))
    #expect(first != (try readFile(scratch.file("c.iso"))))
    let list = try Tool.check("isoinfo", ["-R", "-l", "-i", scratch.file("c.iso")])
    #expect(list.split(separator: "\n").filter { $0.contains("Nov 14 2023") }.count == 6, "\(list)")
  }

  @Test("names that a disc cannot hold are refused")
  func badNames() throws {
    let file = try Scratch().create("seed.iso")
    for name in ["", ".", "..", "a/b", "caf\u{e9}", String(repeating: "x", count: 65)] {
      #expect(throws: ArchiveError.self, "\(name)") {
        try writeDisc([DiscFile(name: name, content: [])], volumeID: "CIDATA", to: file)
      }
    }
    #expect(throws: ArchiveError.self) {
      try writeDisc([files[0], files[0]], volumeID: "CIDATA", to: file)
    }
    for volume in ["", "cidata", "TOO LONG", String(repeating: "X", count: 33)] {
      #expect(throws: ArchiveError.self, "\(volume)") {
        try writeDisc(files, volumeID: volume, to: file)
      }
    }
  }

  @Test("a full disk is an error that names the file")
  func diskFull() throws {
    let full = try Descriptor.open("/dev/full", .write)
    let error = try #require(throws: ArchiveError.self) {
      try writeDisc(files, volumeID: "CIDATA", to: full)
    }
    #expect(error.description.contains("cannot write /dev/full"), "\(error)")
    #expect(error.description.contains("No space left on device"), "\(error)")
  }
}
