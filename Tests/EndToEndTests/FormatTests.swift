import SystemIO
import TestSupport
import Testing

/// Every container that `convert` offers holds the same disk in QEMU's eyes.
@Suite("Formats") struct FormatTests {
  @Test("qemu-img checks every format, and compares it with the raw disk")
  func formats() async throws {
    let scratch = try Scratch()
    let ingot = Ingot(home: scratch.file("home"), directory: scratch.path)
    try await shell(
      """
      mkdir -p tree/etc
      seq 400000 > tree/numbers
      head -c 3000000 /dev/urandom > tree/noise
      truncate -s 40M tree/hole; echo end >> tree/hole
      """, in: scratch.path)
    let offered = try await formats(ingot)
    #expect(offered.contains("raw") && offered.contains("qcow2"))
    try await ingot.succeed("convert", "tree", "-o", "disk.raw", "--format", "raw")
    for format in offered where format != "raw" {
      try await ingot.succeed("convert", "tree", "-o", "disk.\(format)", "--format", format)
      let driver = try #require(Self.drivers[format], "qemu-img's name of \(format) is not known")
      var file = "disk.\(format)"
      if format == "ova" {
        try await shell("tar -xf disk.ova --wildcards '*.vmdk'", in: scratch.path)
        file = try #require(try namesInDirectory(scratch.path).first { $0.hasSuffix(".vmdk") })
      }
      let check = try Tool.run("qemu-img", ["check", "-f", driver, file], in: scratch.path)
      // 63: QEMU has no check for that format.
      #expect(check.status == 0 || check.status == 63, "\(format): \(check.output)")
      try Tool.check(
        "qemu-img", ["compare", "-f", "raw", "-F", driver, "disk.raw", file], in: scratch.path)
      try removeFile(scratch.file(file))
    }
  }

  private static let drivers = [
    "qcow2": "qcow2", "vmdk": "vmdk", "vhd": "vpc", "vhd-fixed": "vpc", "vhdx": "vhdx",
    "ova": "vmdk",
  ]

  /// The formats that `convert` lists where it is asked for one that is none.
  private func formats(_ ingot: Ingot) async throws -> [String] {
    let answer = try await ingot.run(["convert", "tree", "-o", "x", "--format", "none-such"])
    #expect(answer.code == 64)
    let list = try #require(answer.errors.firstRange(of: "is none of "))
    return answer.errors[list.upperBound...].prefix { $0 != "\n" }
      .split(separator: ",").map { String($0.filter { $0 != " " }) }
  }
}
