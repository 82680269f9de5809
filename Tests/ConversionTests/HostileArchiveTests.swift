import Conversion
import SystemIO
import TestSupport
import Testing

@Suite struct HostileArchiveTests {
  @Test(
    "an archive that tries to escape or makes no sense is refused with the entry's name",
    arguments: [
      ([RawEntry(name: "a/../../etc/passwd", data: "x")], "leads upwards"),
      ([RawEntry(name: "..", type: "5")], "leads upwards"),
      (
        [RawEntry(name: "etc", type: "2", link: "/etc"), RawEntry(name: "etc/passwd", data: "x")],
        "symbolic link 'etc'"
      ),
      ([RawEntry(name: "a", type: "1", link: "../../etc/passwd")], "leads upwards"),
      ([RawEntry(name: "a", type: "1", link: "etc/passwd")], "does not hold"),
      ([RawEntry(name: "a", type: "1", link: "a")], "does not hold"),
      (
        [RawEntry(name: "a", type: "1", link: "b"), RawEntry(name: "b", type: "1", link: "a")],
        "does not hold"
      ),
      (
        [RawEntry(name: "d/f", data: "x"), RawEntry(name: "d", data: "y")], "not empty"
      ),
      ([RawEntry(name: "f", data: "x"), RawEntry(name: "f/g", data: "y")], "no directory"),
      ([RawEntry(name: "d/", type: "5"), RawEntry(name: "h", type: "1", link: "d")], "directory"),
      (RawEntry.pax([("path", String(repeating: "n", count: 256))]), "longer than 255"),
      (
        RawEntry.pax(
          [("linkpath", String(repeating: "t", count: 4096))], RawEntry(name: "l", type: "2")),
        "symbolic link"
      ),
      ([RawEntry(name: "l", type: "2")], "without a target"),
      ([RawEntry(name: "d", type: "3", device: "7777777")], "no device"),
    ])
  func refused(entries: [RawEntry], reason: String) async throws {
    let scratch = try Scratch()
    let archive = try scratch.write("hostile.tar", tar(entries))
    let error = await #expect(throws: (any Error).self) {
      try await convert(.archive(path: archive), smallOptions(), to: scratch.file("disk"))
    }
    #expect(error.map { "\($0)".contains(reason) } == true, "\(String(describing: error))")
    #expect(error.map { "\($0)".contains("' at byte ") } == true)
    #expect(try namesInDirectory(scratch.path) == ["hostile.tar"])
  }

  @Test("of entries with one name the last counts; absolute names start at the guest's root")
  func lastWins() async throws {
    let scratch = try Scratch()
    let archive = try scratch.write(
      "odd.tar",
      tar([
        RawEntry(name: "a", data: "first"), RawEntry(name: "l", type: "2", link: "a"),
        RawEntry(name: "a", data: "second"), RawEntry(name: "d/", type: "5"),
        RawEntry(name: "d", data: "file now"), RawEntry(name: "l", data: "no link"),
        RawEntry(name: "l", type: "5"), RawEntry(name: "/abs/file", data: "inside"),
        RawEntry(name: "h", type: "1", link: "a"), RawEntry(name: "h", type: "1", link: "h"),
      ]))
    let disk = scratch.file("disk")
    let result = try await convert(.archive(path: archive), smallOptions(), to: disk)
    #expect(result.report.exitCode == 0)
    let partition = try checkedPartition(of: disk, in: scratch)
    #expect(try debugfs(partition, "cat /a").contains("second"))
    #expect(try debugfs(partition, "cat /h").contains("second"))
    #expect(try debugfs(partition, "cat /d").contains("file now"))
    #expect(try debugfs(partition, "cat /abs/file").contains("inside"))
    #expect(try debugfs(partition, "stat /l").contains("Type: directory"))
  }

  @Test("an archive cut short anywhere leaves nothing", arguments: [0, 100, 511, 512, 900, 1536])
  func truncated(length: Int) async throws {
    let scratch = try Scratch()
    let whole = tar([RawEntry(name: "a", data: String(repeating: "x", count: 1000))])
    let archive = try scratch.write("cut.tar", Array(whole[..<length]))
    await #expect(throws: (any Error).self) {
      try await convert(.archive(path: archive), smallOptions(), to: scratch.file("disk"))
    }
    #expect(try namesInDirectory(scratch.path) == ["cut.tar"])
  }
}
