import DiskImage
import SystemIO
import TestSupport
import Testing

@Suite struct DiskFormatTests {
  @Test(
    "QEMU reads back what was written in any order, in every format", arguments: DiskFormat.written)
  func anyOrder(format: DiskFormat) throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var generator = SeededGenerator(seed: seed)
    let scratch = try Scratch()
    // Neither a multiple of the cluster nor of any format's block.
    let disk = GuestDisk.random(size: 9 << 20 | 0x1a00, using: &generator)
    let pieces = disk.pieces(using: &generator).shuffled(using: &generator)
    let image = try disk.write(pieces, as: "disk", in: scratch, format: format)
    #expect(throws: Never.self, "seed \(seed)") {
      try expectSound(image, as: format, equals: disk, in: scratch)
    }
  }

  @Test("an empty disk of any size opens in every format", arguments: [0, 512, 5 << 30, 1 << 40])
  func empty(size: Int) throws {
    let scratch = try Scratch()
    for format in DiskFormat.written {
      let writer = try DiskWriter(scratch.create("disk"), format: format, threads: 1)
      _ = try writer.finish(virtualSize: size)
      let found = try DiskReader(path: scratch.file("disk"), format: format)
      #expect(found.size == size, "\(format)")
      // The footer of a fixed VHD shares the last block of the file with the disk's end.
      if format != .vhdFixed { #expect(try found.nextData(from: 0) == nil, "\(format)") }
      // QEMU takes no empty VHD.
      if size == 0 { continue }
      let info = try Tool.check(
        "qemu-img", ["info", "--output=json", "-f", format.driver, scratch.file("disk")])
      #expect(info.contains("\"virtual-size\": \(size),"), "\(format): \(info)")
    }
  }

  @Test("a disk larger than the format holds is refused", arguments: DiskFormat.written)
  func tooLarge(format: DiskFormat) throws {
    let scratch = try Scratch()
    let writer = try DiskWriter(scratch.create("disk"), format: format, threads: 1)
    #expect(throws: DiskImageError.self) { try writer.write([1], at: 1 << 52) }
    #expect(throws: DiskImageError.self) { try writer.finish(virtualSize: 1 << 52) }
  }

  @Test("grains of a streamed VMDK ascend, whatever order their bytes came in")
  func grainOrder() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var generator = SeededGenerator(seed: seed)
    let scratch = try Scratch()
    let disk = GuestDisk.random(size: 40 << 20, using: &generator)
    let ordered = try readFile(
      disk.write(disk.pieces(using: &generator), as: "a", in: scratch, format: .vmdk))
    let shuffled = try readFile(
      disk.write(
        disk.pieces(using: &generator).shuffled(using: &generator), as: "b", in: scratch,
        format: .vmdk))
    #expect(ordered == shuffled, "seed \(seed)")
  }

  @Test("blocks that were never written take no room", arguments: [DiskFormat.vhd, .vhdx, .vmdk])
  func sparse(format: DiskFormat) throws {
    let scratch = try Scratch()
    let writer = try DiskWriter(scratch.create("disk"), format: format, threads: 1)
    try writer.write([1, 2, 3], at: 700 << 30)
    try writer.write([4, 5, 6], at: 1 << 20)
    let summary = try writer.finish(virtualSize: 1 << 40)
    #expect(summary.fileSize < 16 << 20)
    let blocks = try Tool.check("stat", ["-c", "%b", scratch.file("disk")])
    #expect(try #require(Int(blocks.filter(\.isNumber))) * 512 < 9 << 20)
    let reader = try DiskReader(path: scratch.file("disk"), format: format)
    #expect(try reader.read(at: 700 << 30, count: 4) == [1, 2, 3, 0])
  }
}
