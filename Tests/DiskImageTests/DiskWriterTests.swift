import DiskImage
import SystemIO
import TestSupport
import Testing

@Suite struct DiskWriterTests {
  static let compressions: [DiskCompression] = [
    .none, .zlib(level: 6), .zstd(level: 1), .zstd(level: 3),
  ]

  @Test("QEMU reads back what was written in any order", arguments: compressions)
  func anyOrder(compression: DiskCompression) throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var generator = SeededGenerator(seed: seed)
    let scratch = try Scratch()
    // Not a multiple of the cluster, and with more clusters than the ring has slots.
    let disk = GuestDisk.random(size: 6 << 20 | 0x1a00, using: &generator)
    let pieces = disk.pieces(using: &generator).shuffled(using: &generator)
    let image = try disk.write(
      pieces, as: "disk.qcow2", in: scratch, format: .qcow2, compression: compression)
    withKnownSeed(seed) { try expectSound(image, equals: disk, in: scratch) }
  }

  @Test("the number of threads does not change a byte", arguments: DiskFormat.written)
  func deterministic(format: DiskFormat) throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var generator = SeededGenerator(seed: seed)
    let scratch = try Scratch()
    let disk = GuestDisk.random(size: 5 << 20, using: &generator)
    let pieces = disk.pieces(using: &generator)
    let images = try [1, 2, 7].map { threads in
      try readFile(
        disk.write(
          pieces, as: "\(threads)", in: scratch, format: format, threads: threads))
    }
    #expect(images[0] == images[1], "seed \(seed)")
    #expect(images[0] == images[2], "seed \(seed)")
  }

  @Test("a raw image is the disk's bytes, with holes for zeros")
  func raw() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var generator = SeededGenerator(seed: seed)
    let scratch = try Scratch()
    var disk = GuestDisk(size: 8 << 20 | 512)
    disk.bytes.replaceSubrange(3 << 20..<4 << 20, with: generator.bytes(1 << 20))
    let pieces = disk.pieces(using: &generator).shuffled(using: &generator)
    let image = try disk.write(pieces, as: "disk.raw", in: scratch, format: .raw)
    #expect(try readFile(image) == disk.bytes, "seed \(seed)")
    let blocks = try Tool.check("stat", ["-c", "%b", image])
    #expect(try #require(Int(blocks.filter(\.isNumber))) * 512 < 2 << 20)
  }

  @Test("a disk of zeros takes no clusters, whether written, declared or left out")
  func zeros() throws {
    let scratch = try Scratch()
    let writer = try DiskWriter(scratch.create("zero.qcow2"), format: .qcow2, threads: 2)
    try writer.write([UInt8](repeating: 0, count: 200_000), at: 100)
    try writer.writeZeros(count: 1 << 20, at: 1 << 20)
    let summary = try writer.finish(virtualSize: 1 << 30)
    // Header, level-1 table, reference-count table and one block.
    #expect(summary.fileSize == 4 << 16)
    let disk = GuestDisk(size: 1 << 20)
    #expect(try Tool.run("qemu-img", ["check", scratch.file("zero.qcow2")]).status == 0)
    let raw = try scratch.write("zero.raw", disk.bytes)
    let compared = try Tool.run("qemu-img", ["compare", raw, scratch.file("zero.qcow2")])
    #expect(compared.output.contains("Images are identical"), "\(compared.output)")
  }

  @Test("declared zeros complete a cluster around its data")
  func zerosAroundData() throws {
    let scratch = try Scratch()
    var disk = GuestDisk(size: 3 << 16)
    disk.bytes.replaceSubrange(70_000..<70_003, with: [1, 2, 3])
    let writer = try DiskWriter(scratch.create("disk.qcow2"), format: .qcow2, threads: 1)
    try writer.writeZeros(count: 70_000, at: 0)
    try writer.writeZeros(count: disk.bytes.count - 70_003, at: 70_003)
    try writer.write([1, 2, 3], at: 70_000)
    _ = try writer.finish(virtualSize: disk.bytes.count)
    try expectSound(scratch.file("disk.qcow2"), equals: disk, in: scratch)
  }

  @Test("what does not compress is stored plain and costs no more than itself")
  func incompressible() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var generator = SeededGenerator(seed: seed)
    let scratch = try Scratch()
    var disk = GuestDisk(size: 0)
    // Plain and compressed clusters by turns: neither may leave gaps behind the other.
    for index in 0..<60 {
      disk.bytes += index % 2 == 0 ? generator.bytes(1 << 16) : .init(repeating: 7, count: 1 << 16)
    }
    let image = try disk.write(
      disk.pieces(using: &generator), as: "disk.qcow2", in: scratch, format: .qcow2)
    try expectSound(image, equals: disk, in: scratch)
    #expect(try Descriptor.open(image, .read).size() <= 36 << 16, "seed \(seed)")
  }

  @Test("a byte written twice is refused, before and after its cluster went out")
  func writtenTwice() throws {
    let scratch = try Scratch()
    let writer = try DiskWriter(scratch.create("disk.qcow2"), format: .qcow2, threads: 1)
    try writer.write([UInt8](repeating: 1, count: 1 << 16), at: 0)
    try writer.write([1, 2, 3], at: 70_000)
    #expect(throws: DiskImageError.self) { try writer.write([9], at: 5) }
    #expect(throws: DiskImageError.self) { try writer.write([9, 9], at: 69_999) }
    #expect(throws: DiskImageError.self) { try writer.writeZeros(count: 1 << 16, at: 1 << 16) }
    #expect(throws: DiskImageError.self) { try writer.writeZeros(count: 1 << 16, at: 0) }
    try writer.write([9], at: 69_999)
  }

  @Test("sizes and offsets out of range are refused")
  func outOfRange() throws {
    let scratch = try Scratch()
    let file = try scratch.create("disk.qcow2")
    let writer = try DiskWriter(file, format: .qcow2, threads: 1)
    try writer.write([1], at: 2000)
    #expect(throws: DiskImageError.self) { try writer.write([1], at: -1) }
    #expect(throws: DiskImageError.self) { try writer.write([1], at: .max) }
    #expect(throws: DiskImageError.self) { try writer.finish(virtualSize: 1024) }
    #expect(throws: DiskImageError.self) { try writer.finish(virtualSize: 4097) }
    #expect(throws: DiskImageError.self) { try writer.finish(virtualSize: .max) }
    _ = try writer.finish(virtualSize: 4096)
    #expect(throws: DiskImageError.self) { try writer.finish(virtualSize: 4096) }
    #expect(throws: DiskImageError.self) { try DiskWriter(file, format: .raw, threads: 0) }
    #expect(throws: DiskImageError.self) {
      try DiskWriter(file, format: .qcow2, compression: .zstd(level: 99), threads: 1)
    }
  }

  @Test(
    "a full disk is an error that names the file, in any format", arguments: DiskFormat.written)
  func diskFull(format: DiskFormat) throws {
    var generator = SeededGenerator(seed: 1)
    let full = try Descriptor.open("/dev/full", .write)
    let error = #expect(throws: DiskImageError.self) {
      let writer = try DiskWriter(full, format: format, threads: 2)
      let bytes = generator.bytes(1 << 20)
      for index in 0..<16 { try writer.write(bytes, at: index << 20) }
      _ = try writer.finish(virtualSize: 16 << 20)
    }
    let text = error.map(String.init(describing:)) ?? ""
    #expect(text.contains("/dev/full: No space left on device"), "\(text)")
    #expect(text.contains("bytes of the image; free space there"), "\(text)")
  }

  @Test("a writer that is dropped ends its threads")
  func abandoned() throws {
    let scratch = try Scratch()
    func threads() throws -> Int { try namesInDirectory("/proc/self/task").count }
    var generator = SeededGenerator(seed: 2)
    let bytes = generator.bytes(3 << 20)
    for _ in 0..<20 {
      let writer = try DiskWriter(scratch.create("disk.qcow2"), format: .qcow2, threads: 16)
      try writer.write(bytes, at: 12345)
    }
    // Twenty writers that leave their threads would show 320 of them.
    #expect(try threads() < 200)
  }
}

/// Records the seed with whatever fails inside.
private func withKnownSeed(_ seed: UInt64, _ body: () throws -> Void) {
  #expect(throws: Never.self, "seed \(seed)") { try body() }
}
