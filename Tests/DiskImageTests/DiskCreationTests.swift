import DiskImage
import SystemIO
import TestSupport
import Testing

@Suite struct DiskCreationTests {
  @Test("an empty disk has its size and nothing else", arguments: [0, 512, 5 << 30, 3 << 40])
  func empty(size: Int) throws {
    let scratch = try Scratch()
    for format in [DiskFormat.raw, .qcow2] {
      let name = "disk." + format.rawValue
      let file = try scratch.create(name)
      try makeEmptyDisk(file, format: format, virtualSize: size)
      let info = try Tool.check(
        "qemu-img", ["info", "--output=json", "-f", format.rawValue, scratch.file(name)])
      #expect(info.contains("\"virtual-size\": \(size),"), "\(info)")
      #expect(try inspect(file, format: format).virtualSize == size)
    }
    try Tool.check("qemu-img", ["check", scratch.file("disk.qcow2")])
  }

  @Test(
    "an overlay shows its backing image and keeps its own writes",
    arguments: [DiskFormat.raw, .qcow2])
  func overlay(format: DiskFormat) throws {
    var generator = SeededGenerator(seed: 3)
    let scratch = try Scratch()
    var disk = GuestDisk.random(size: 2 << 20, using: &generator)
    let base = try disk.write(
      disk.pieces(using: &generator), as: "base", in: scratch, format: format)
    let before = try readFile(base)
    let file = try scratch.create("overlay.qcow2")
    try makeOverlayDisk(
      file, virtualSize: 4 << 20, backingFile: "base", backingFormat: format)
    let header = try inspect(file, format: .qcow2)
    #expect(header.backingFile == Array("base".utf8))
    #expect(header.backingFormat == Array(format.rawValue.utf8))
    #expect(header.virtualSize == 4 << 20)

    let commands = ["write -P 0x5a 100000 70000", "write -P 0x11 3M 1M"].flatMap { ["-c", $0] }
    try Tool.check("qemu-io", commands + ["-f", "qcow2", scratch.file("overlay.qcow2")])
    disk.bytes += [UInt8](repeating: 0, count: 1 << 20) + .init(repeating: 0x11, count: 1 << 20)
    disk.bytes.replaceSubrange(100_000..<170_000, with: repeatElement(0x5a, count: 70_000))
    try expectSound(scratch.file("overlay.qcow2"), equals: disk, in: scratch)
    #expect(try readFile(base) == before)
  }

  @Test(
    "a backing file's name that QEMU would take for something else is refused",
    arguments: ["", "json:{}", "nbd:host:1", String(repeating: "x", count: 1024)])
  func badBackingName(name: String) throws {
    let file = try Scratch().create("overlay.qcow2")
    #expect(throws: DiskImageError.self) {
      try makeOverlayDisk(file, virtualSize: 512, backingFile: name, backingFormat: .raw)
    }
  }

  @Test("an odd size is refused")
  func oddSize() throws {
    let file = try Scratch().create("disk")
    for size in [-512, 1000, Int.max] {
      #expect(throws: DiskImageError.self) {
        try makeEmptyDisk(file, format: .qcow2, virtualSize: size)
      }
    }
  }
}
