import Conversion
import DiskImage
import Foundation
import FoundationXML
import SystemIO
import TestSupport
import Testing

@Suite struct DiskImageConverterTests {
  /// A raw disk of 20 MiB with data of several kinds and holes.
  private func makeSource(in scratch: Scratch) throws -> String {
    var generator = SeededGenerator(seed: 11)
    let file = try scratch.create("source.raw")
    try file.truncate(to: 20 << 20)
    for place in [0, 3 << 20, 11_000_000] {
      let bytes = generator.bytes(200_000) + [UInt8](repeating: 7, count: 300_000)
      try bytes.withUnsafeBytes { try file.write($0, at: place) }
    }
    return scratch.file("source.raw")
  }

  private func driver(_ format: DiskFormat) -> String {
    format == .vhd || format == .vhdFixed ? "vpc" : format.rawValue
  }

  @Test(
    "every format goes into every other and back",
    arguments: DiskFormat.allCases.filter { $0 != .ova })
  func roundTrip(format: DiskFormat) async throws {
    let scratch = try Scratch()
    let raw = try makeSource(in: scratch)
    let image = scratch.file("image")
    let there = try await DiskImageConverter(from: .raw, to: format, host: .live())
      .convert(raw, to: image)
    #expect(there.virtualSize == 20 << 20)
    #expect(there.fileSize == (try Descriptor.open(image, .read).size()))
    try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", driver(format), raw, image])
    var back = DiskImageConverter(from: format, to: .qcow2, host: .live())
    back.size = 32 << 20
    back.threads = 3
    _ = try await back.convert(image, to: scratch.file("back"))
    // What is longer in one of them reads as zeros.
    let compared = try Tool.run(
      "qemu-img", ["compare", "-f", "raw", "-F", "qcow2", raw, scratch.file("back")])
    #expect(compared.output.contains("Images are identical"), "\(compared.output)")
  }

  @Test("an appliance is a tar of description, digests and disk, the same each time")
  func appliance() async throws {
    let scratch = try Scratch()
    let raw = try makeSource(in: scratch)
    let converter = DiskImageConverter(from: .raw, to: .ova, host: .live())
    _ = try await converter.convert(raw, to: scratch.file("old box.ova"))
    let first = try readFile(scratch.file("old box.ova"))
    var again = converter
    again.threads = 5
    _ = try await again.convert(raw, to: scratch.file("old box.ova"))
    #expect(try readFile(scratch.file("old box.ova")) == first)

    let list = try Tool.check("tar", ["-tf", scratch.file("old box.ova")])
    #expect(list == "old-box.ovf\nold-box.mf\nold-box-disk1.vmdk\n")
    try Tool.check("tar", ["-xf", scratch.file("old box.ova")], in: scratch.path)
    let manifest = try readFile(scratch.file("old-box.mf"))
    for line in String(decoding: manifest, as: UTF8.self).split(separator: "\n") {
      let parts = line.split(whereSeparator: { "()= ".contains($0) })
      let sum = try Tool.check("sha256sum", [String(parts[1])], in: scratch.path)
      #expect(parts[0] == "SHA256" && sum.hasPrefix(parts[2]), "\(line)")
    }
    #expect(XMLParser(data: Data(try readFile(scratch.file("old-box.ovf")))).parse())
    let text = String(decoding: try readFile(scratch.file("old-box.ovf")), as: UTF8.self)
    #expect(text.contains("ovf:capacity=\"\(20 << 20)\""))
    let disk = scratch.file("old-box-disk1.vmdk")
    let info = try Tool.check("qemu-img", ["info", "-f", "vmdk", disk])
    #expect(info.contains("create type: streamOptimized"), "\(info)")
    try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", "vmdk", raw, disk])
    #expect(try namesInDirectory(scratch.path).allSatisfy { !$0.contains("partial") })
  }

  @Test("a smaller size and an image that leans on another leave nothing behind")
  func refused() async throws {
    let scratch = try Scratch()
    let raw = try makeSource(in: scratch)
    let overlay = scratch.file("overlay.qcow2")
    try Tool.check(
      "qemu-img", ["create", "-q", "-f", "qcow2", "-b", raw, "-F", "raw", overlay])
    var smaller = DiskImageConverter(from: .raw, to: .ova, host: .live())
    smaller.size = 1 << 20
    await #expect(throws: ConversionError.self) {
      try await smaller.convert(raw, to: scratch.file("out"))
    }
    await #expect(throws: DiskImageError.self) {
      try await DiskImageConverter(from: .qcow2, to: .raw, host: .live())
        .convert(overlay, to: scratch.file("out"))
    }
    #expect(try namesInDirectory(scratch.path) == ["overlay.qcow2", "source.raw"])
  }
}
