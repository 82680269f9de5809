import DiskImage
import SystemIO
import TestSupport
import Testing

@Suite struct DiskReaderTests {
  /// Every format that is read, as QEMU writes it: format, arguments of `qemu-img convert`.
  static let images: [(format: DiskFormat, options: [String])] = [
    (.raw, ["-O", "raw"]),
    (.qcow2, ["-O", "qcow2"]),
    (.qcow2, ["-O", "qcow2", "-o", "compat=0.10"]),
    (.qcow2, ["-O", "qcow2", "-c"]),
    (.qcow2, ["-O", "qcow2", "-c", "-o", "compression_type=zstd"]),
    (.qcow2, ["-O", "qcow2", "-c", "-o", "cluster_size=512"]),
    (.qcow2, ["-O", "qcow2", "-c", "-o", "cluster_size=2M"]),
    (.qcow2, ["-O", "qcow2", "-o", "preallocation=metadata,cluster_size=4k"]),
    (.vmdk, ["-O", "vmdk"]),
    (.vmdk, ["-O", "vmdk", "-o", "subformat=streamOptimized"]),
    (.vhd, ["-O", "vpc"]),
    (.vhd, ["-O", "vpc", "-o", "subformat=fixed,force_size=on"]),
    (.vhdFixed, ["-O", "vpc", "-o", "subformat=fixed"]),
    (.vhdx, ["-O", "vhdx"]),
    (.vhdx, ["-O", "vhdx", "-o", "subformat=fixed"]),
    (.vhdx, ["-O", "vhdx", "-o", "block_size=1M"]),
  ]

  @Test("what QEMU writes reads as QEMU reads it", arguments: images.indices)
  func foreign(index: Int) throws {
    let (format, options) = Self.images[index]
    let seed = UInt64.random(in: 0...UInt64.max)
    var generator = SeededGenerator(seed: seed)
    let scratch = try Scratch()
    let disk = GuestDisk.random(size: 7 << 20 | 0x600, using: &generator)
    let raw = try scratch.write("disk.raw", disk.bytes)
    try Tool.check(
      "qemu-img", ["convert", "-f", "raw"] + options + [raw, scratch.file("image")])
    let reader = try DiskReader(path: scratch.file("image"), format: format)
    let all = try reader.read(at: 0, count: reader.size)
    #expect(all == padded(disk, to: reader.size))
    try expectPieces(reader, disk, &generator, seed)
  }

  @Test("our own images read back, whole and in pieces", arguments: DiskFormat.written)
  func own(format: DiskFormat) throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var generator = SeededGenerator(seed: seed)
    let scratch = try Scratch()
    let disk = GuestDisk.random(size: 9 << 20 | 0x600, using: &generator)
    let pieces = disk.pieces(using: &generator).shuffled(using: &generator)
    let image = try disk.write(pieces, as: "image", in: scratch, format: format)
    let reader = try DiskReader(path: image, format: format)
    #expect(reader.size == disk.bytes.count)
    #expect(try reader.read(at: 0, count: reader.size) == disk.bytes)
    try expectPieces(reader, disk, &generator, seed)
  }

  /// Random pieces are the disk's, and so are the stretches of data with zeros between.
  private func expectPieces(
    _ reader: DiskReader, _ disk: GuestDisk, _ generator: inout SeededGenerator, _ seed: UInt64
  ) throws {
    for _ in 0..<50 {
      let start = Int.random(in: 0..<disk.bytes.count, using: &generator)
      let count = Int.random(in: 0...min(300_000, disk.bytes.count - start), using: &generator)
      #expect(
        try reader.read(at: start, count: count) == Array(disk.bytes[start..<start + count]),
        "seed \(seed)")
    }
    var gathered = [UInt8](repeating: 0, count: reader.size)
    var position = 0
    while let range = try reader.nextData(from: position) {
      #expect(range.lowerBound >= position && !range.isEmpty)
      gathered.replaceSubrange(
        range, with: try reader.read(at: range.lowerBound, count: range.count))
      position = range.upperBound
    }
    #expect(gathered == padded(disk, to: reader.size), "seed \(seed)")
  }

  private func padded(_ disk: GuestDisk, to size: Int) -> [UInt8] {
    disk.bytes + [UInt8](repeating: 0, count: size - disk.bytes.count)
  }

  @Test("bytes beyond the disk are refused")
  func beyond() throws {
    let reader = try DiskReader(bytes: [1, 2, 3, 4], name: "disk", format: .raw)
    #expect(try reader.read(at: 1, count: 3) == [2, 3, 4])
    for (offset, count) in [(0, 5), (4, 1), (-1, 1), (.max, 1), (0, .max), (1, -1)] {
      #expect(throws: DiskImageError.self) { try reader.read(at: offset, count: count) }
    }
    #expect(try reader.nextData(from: 4) == nil)
  }

  @Test("internal snapshots are counted and passed over")
  func snapshots() throws {
    let scratch = try Scratch()
    let disk = GuestDisk(size: 1 << 20)
    let image = try disk.write([], as: "disk.qcow2", in: scratch, format: .qcow2)
    try Tool.check("qemu-io", ["-f", "qcow2", "-c", "write -P 1 0 64k", image])
    try Tool.check("qemu-img", ["snapshot", "-c", "before", image])
    try Tool.check("qemu-io", ["-f", "qcow2", "-c", "write -P 2 0 32k", image])
    let reader = try DiskReader(path: image, format: .qcow2)
    #expect(reader.inspection.snapshots == 1)
    let start = try reader.read(at: 32767, count: 2)
    #expect(start == [2, 1])
  }

  @Test("what is no regular file, or an archive, is refused")
  func notAFile() throws {
    for path in ["/dev/null", "/"] {
      #expect(throws: DiskImageError.self) { try DiskReader(path: path, format: .raw) }
    }
    #expect(throws: DiskImageError.self) {
      try DiskReader(bytes: [], name: "disk.ova", format: .ova)
    }
  }

  @Test("a partition table reads back as it was laid out")
  func partitions() throws {
    let scratch = try Scratch()
    let ids = try (0..<3).map {
      try #require(GUID(bytes: [UInt8](repeating: 0xa0, count: 15) + [UInt8($0)]))
    }
    let table = try PartitionTable(
      [
        Partition(type: .efiSystem, id: ids[1], name: "esp", size: 33 << 20, attributes: 1),
        Partition(type: .linuxRootX86, id: ids[2], name: "wurzel-ä", size: 10 << 20),
      ], diskID: ids[0])
    let writer = try DiskWriter(scratch.create("disk"), format: .qcow2, threads: 1)
    for piece in table.pieces { try writer.write(piece.bytes, at: piece.offset) }
    _ = try writer.finish(virtualSize: table.diskSize)
    let reader = try DiskReader(path: scratch.file("disk"), format: .qcow2)
    #expect(try PartitionTable.read(from: reader) == table)

    var front = try reader.read(at: 0, count: 34 * 512)
    for place in [512, 520, 600, 1024, 1100] {
      front[place] ^= 1
      #expect(throws: DiskImageError.self, "byte \(place)") {
        try PartitionTable.read(
          from: DiskReader(bytes: front, name: "disk", format: .raw))
      }
      front[place] ^= 1
    }
  }
}
