import Conversion
import DiskImage
import Resources
import SystemIO
import TestSupport
import Testing

/// Archives that other tools were broken with: kept right, or refused with name, place and reason.
@Suite struct NastyArchiveTests {
  private func convertTar(
    _ bytes: [UInt8], _ scratch: Scratch, _ change: (inout ConversionOptions) -> Void = { _ in }
  ) async throws -> (report: ConversionReport, partition: String) {
    let archive = try scratch.write("nasty.tar", bytes)
    var options = smallOptions(.migrate)
    change(&options)
    let disk = scratch.file("disk.raw")
    let result = try await convert(.archive(path: archive), options, to: disk)
    return (result.report, try checkedPartition(of: disk, in: scratch))
  }

  private func refusal(
    _ bytes: [UInt8], _ scratch: Scratch, _ change: (inout ConversionOptions) -> Void = { _ in }
  ) async throws -> String {
    let archive = try scratch.write("nasty.tar", bytes)
    var options = smallOptions()
    change(&options)
    let used = options
    let error = await #expect(throws: (any Error).self) {
      try await convert(.archive(path: archive), used, to: scratch.file("disk"))
    }
    #expect(try namesInDirectory(scratch.path) == ["nasty.tar"])
    return error.map { "\($0)" } ?? ""
  }

  @Test("the pax size counts where it and the old one disagree, so that nothing is smuggled in")
  func sizes() async throws {
    let scratch = try Scratch()
    let hidden = RawEntry(name: "smuggled", data: "evil")
    let inner = String(decoding: hidden.bytes, as: UTF8.self)
    let entry = RawEntry(name: "outer", data: inner, size: "0")
    let bytes = tar(RawEntry.pax([("size", "1024")], entry) + [RawEntry(name: "last", data: "z")])
    let result = try await convertTar(bytes, scratch)
    #expect(try debugfs(result.partition, "stat /smuggled").contains("File not found"))
    #expect(try debugfs(result.partition, "stat /outer").contains("Size: 1024"))
    #expect(try debugfs(result.partition, "cat /last").contains("z"))
  }

  @Test(
    "damage and lies are refused with the reason",
    arguments: [
      // A size beyond what is there, and beyond every disk.
      [RawEntry(name: "f", data: "x", size: "77777777777")],
      // A GNU long name that the archive does not hold, and one of an absurd length.
      [RawEntry(name: "././@LongLink", type: "L", size: "00000100000")],
      [RawEntry(name: "././@LongLink", type: "L", size: "77777777777")],
      // A GNU sparse map that leads beyond the largest offset.
      RawEntry.pax(
        [
          ("GNU.sparse.major", "0"), ("GNU.sparse.minor", "1"),
          ("GNU.sparse.size", "9223372036854775807"), ("GNU.sparse.numblocks", "1"),
          ("GNU.sparse.map", "9223372036854775807,512"),
        ]),
      // Owners that no file system can hold.
      RawEntry.pax([("uid", "4294967296")]),
      // A pax header longer than any real one.
      RawEntry.pax([("comment", String(repeating: "c", count: 70 << 20))]),
    ])
  func lies(entries: [RawEntry]) async throws {
    let scratch = try Scratch()
    let reason = try await refusal(tar(entries), scratch)
    #expect(reason.contains("at byte"), "\(reason)")
  }

  @Test("attributes that make no sense are left out aloud or refused, never taken wrong")
  func attributes() async throws {
    let scratch = try Scratch()
    let result = try await convertTar(
      tar(
        RawEntry.pax([
          ("SCHILY.xattr.user.good", "value"), ("SCHILY.xattr.user.twice", "first"),
          ("SCHILY.xattr.user.twice", "second"), ("SCHILY.xattr.nonsense", "x"),
          ("LIBARCHIVE.xattr.user.coded", "dmFsdWU"),
          ("SCHILY.acl.access", "user::rw-,user:nobody-here:rwx,group::r--,mask::rwx,other::r--"),
        ])), scratch)
    let status = try debugfs(result.partition, "stat /f")
    #expect(status.contains("user.good (5) = \"value\""))
    #expect(!status.contains("nonsense"))
    let reasons = result.report.changed.map(\.reason).joined(separator: "; ")
    #expect(reasons.contains("nonsense") && reasons.contains("nobody-here"), "\(reasons)")
    #expect(result.report.exitCode == 6)
  }

  @Test("ACL entries by name get the numbers that the tree's own passwd and group give")
  func names() async throws {
    let scratch = try Scratch()
    let list = "user::rw-,user:ann:rw-,group::r--,group:crew:r-x,mask::rwx,other::r--"
    let result = try await convertTar(
      tar(
        RawEntry.pax([("SCHILY.acl.access", list)]) + [
          RawEntry(name: "etc/passwd", data: "root:x:0:0::/:/bin/sh\nann:x:4242:1::/:/bin/sh\n"),
          RawEntry(name: "etc/group", data: "crew:x:777:\n"),
        ]), scratch)
    #expect(result.report.exitCode == 0, "\(result.report.changed)")
    let copy = scratch.file("acl")
    _ = try debugfs(result.partition, "ea_get -f \(copy) /f system.posix_acl_access")
    let value = try readFile(copy)
    #expect(value.contains([2, 0, 6, 0, 0x92, 0x10, 0, 0]))
    #expect(value.contains([8, 0, 5, 0, 0x09, 0x03, 0, 0]))
  }

  @Test("times beyond ext4's are moved and said, others kept to the nanosecond")
  func times() async throws {
    let scratch = try Scratch()
    let result = try await convertTar(
      tar(
        RawEntry.pax([("mtime", "-1.25")], RawEntry(name: "before"))
          + RawEntry.pax([("mtime", "-9000000000")], RawEntry(name: "ancient"))
          + RawEntry.pax([("mtime", "99999999999")], RawEntry(name: "distant"))
          + RawEntry.pax([("mtime", "9000000000.123456789")], RawEntry(name: "later"))), scratch)
    #expect(
      result.report.warnings.contains { $0.contains("time stamps lie outside") },
      "\(result.report.warnings)")
    #expect(try debugfs(result.partition, "stat /before").contains("mtime: 0xfffffffe:"))
    #expect(try debugfs(result.partition, "stat /later").contains("2255"))
  }

  @Test("global pax headers count for all entries, and what follows the end is not read")
  func globals() async throws {
    let scratch = try Scratch()
    let first = RawEntry.pax([("uid", "4711")], RawEntry(name: "a", data: "x"), type: "g")
    let bytes = tar(first + [RawEntry(name: "b", data: "y")])
    let result = try await convertTar(bytes + tar([RawEntry(name: "c", data: "z")]), scratch)
    #expect(try debugfs(result.partition, "cat /b").contains("y"))
    #expect(try debugfs(result.partition, "stat /c").contains("File not found"))
  }

  @Test("each limit refuses a bomb by name, and can be raised")
  func bombs() async throws {
    let scratch = try Scratch()
    let many = tar((0..<50).map { RawEntry(name: "f\($0)", data: "data") })
    let entries = try await refusal(many, scratch) { $0.limits.entries = 40 }
    #expect(entries.contains("limit of 40") && entries.contains("--max-entries"))
    let total = try await refusal(many, scratch) { $0.limits.bytes = 100 }
    #expect(total.contains("limit of 100") && total.contains("--max-bytes"))
    let raised = try await convertTar(many, scratch) { $0.limits.entries = 51 }
    #expect(raised.report.counts.files >= 50)

    let bomb = scratch.file("bomb")
    let script = "truncate -s 1200M z && tar -c z | gzip -1 | gzip -9 > \(bomb).gz && rm z"
    try Tool.check("sh", ["-c", script], in: scratch.path)
    let compressed = try readFile("\(bomb).gz")
    try removeTree(scratch.path)
    try makeDirectories(scratch.path)
    let ratio = try await refusal(compressed, scratch)
    #expect(ratio.contains("--max-ratio"), "\(ratio)")
  }

  @Test("a host that refuses to go on reading is named, and nothing is left")
  func inputError() async throws {
    let scratch = try Scratch()
    // The first page of a process is never mapped: reading it is an input error.
    let error = await #expect(throws: (any Error).self) {
      try await convert(
        .archive(path: "/proc/self/mem"), smallOptions(), to: scratch.file("disk"))
    }
    #expect(error.map { "\($0)".contains("Input/output error") } == true)
    #expect(try namesInDirectory(scratch.path) == [])
  }

  @Test("a file with more than 65,000 names is refused where the one too many stands")
  func links() async throws {
    let scratch = try Scratch()
    let names = (0..<65_000).map { RawEntry(name: "l\($0)", type: "1", link: "a") }
    let reason = try await refusal(tar([RawEntry(name: "a", data: "x")] + names), scratch)
    #expect(reason.contains("'l64999' at byte ") && reason.contains("65000"), "\(reason)")
  }
}
