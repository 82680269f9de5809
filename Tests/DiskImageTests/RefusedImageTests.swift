import DiskImage
import SystemIO
import TestSupport
import Testing

@Suite struct RefusedImageTests {
  @Test(
    "what reaches beyond its own file is refused, in every format",
    arguments: [
      (DiskFormat.qcow2, ["-f", "qcow2", "-b", "base", "-F", "raw"], "backing file, \"base\""),
      (.qcow2, ["-f", "qcow2", "-o", "data_file=data.bin"], "in another file"),
      (.qcow2, ["-f", "qcow2", "-o", "extended_l2=on"], "subclusters"),
      (.vmdk, ["-f", "vmdk", "-o", "subformat=monolithicFlat"], "names other files"),
      (.vmdk, ["-f", "vmdk", "-o", "subformat=twoGbMaxExtentSparse"], "names other files"),
      (.vmdk, ["-f", "vmdk", "-b", "base.vmdk", "-F", "vmdk"], "backing file"),
    ])
  func reachesOut(format: DiskFormat, options: [String], reason: String) throws {
    let scratch = try Scratch()
    try scratch.write("base", [UInt8](repeating: 1, count: 4 << 20))
    try Tool.check("qemu-img", ["create", "-q", "-f", "vmdk", "base.vmdk", "4M"], in: scratch.path)
    try Tool.check("qemu-img", ["create", "-q"] + options + ["image", "4M"], in: scratch.path)
    expectRefused(reason) { () throws(DiskImageError) in
      try DiskReader(path: scratch.file("image"), format: format)
    }
  }

  /// Bytes put into a sound image, and what is said of it then.
  static let patches: [(format: DiskFormat, place: Int, bytes: [UInt8], reason: String)] = [
    (.qcow2, 79, [1], "did not close it"), (.qcow2, 79, [2], "marked as corrupt"),
    (.qcow2, 79, [0x20], "unknown features, bits 0x20"), (.qcow2, 35, [1], "encrypted"),
    (.qcow2, 79, [4], "in another file"),
    (.qcow2, 24, [0x7f], "the disk's size at offset 24"),
    (.qcow2, 36, [0x7f], "the level-1 size at offset 36"),
    (.qcow2, 40, [0, 0x7f], "beyond the file's end"),
    (.vmdk, 72, [1], "did not close it"), (.vmdk, 73, [0x0d], "as if it were text"),
    (.vmdk, 56, [UInt8](repeating: 0, count: 8), "grain directory"),
    (.vmdk, 44, [0xff, 0xff, 0xff], "the table's size at offset"),
    (.vmdk, 512, Array("# Disk".utf8) + [0], "of the kind \"\""),
    (.vhdx, 65536 + 48, [1], "did not close it"), (.vhdx, 65536 + 66, [2], "the version"),
    (.vhdx, (2 << 20) + 65536 + 4, [2], "backing file"),
    (.vhdx, (2 << 20) + 32, [9], "unknown metadata"),
    (.vhdx, 196_608 + 16, [9], "unknown region"),
  ]

  @Test("what can't be read safely is refused with the reason", arguments: patches.indices)
  func patched(index: Int) throws {
    let (format, place, bytes, reason) = Self.patches[index]
    let scratch = try Scratch()
    let disk = GuestDisk(size: 1 << 20)
    var image = try readFile(disk.write([], as: "image", in: scratch, format: format))
    image.replaceSubrange(place..<place + bytes.count, with: bytes)
    // Headers that there are twice: a VHDX's and its region tables, a VMDK's with its footer.
    var twin: Int?
    if format == .vhdx, place < 1 << 20 { twin = place + (64 << 10) }
    if format == .vmdk, place < 512, place != 56 { twin = place + image.count - 1024 }
    if let twin { image.replaceSubrange(twin..<twin + bytes.count, with: bytes) }
    let hostile = Checksums.repaired(image, format)
    expectRefused(reason) { () throws(DiskImageError) in
      try DiskReader(bytes: hostile, name: "disk.img", format: format)
    }
  }

  @Test("a Virtual Hard Disk that differs from another is refused")
  func differencing() throws {
    let scratch = try Scratch()
    let disk = GuestDisk(size: 1 << 20)
    var image = try readFile(disk.write([], as: "image", in: scratch, format: .vhd))
    image[image.count - 512 + 63] = 4
    let hostile = Checksums.repaired(image, .vhd)
    expectRefused("backing file") { () throws(DiskImageError) in
      try DiskReader(bytes: hostile, name: "disk.img", format: .vhd)
    }
  }

  @Test("tables that point at themselves, and frames that ask for gigabytes, end soon")
  func loops() throws {
    let scratch = try Scratch()
    let writer = try DiskWriter(
      scratch.create("image"), format: .qcow2, compression: .zstd(level: 1), threads: 1)
    try writer.write([UInt8](repeating: 7, count: 1 << 16), at: 0)
    _ = try writer.finish(virtualSize: 1 << 30)
    let image = try readFile(scratch.file("image"))
    // The level-1 table's offset is in the header; its first entry points back at it.
    var looped = image
    let level1 = image[40..<48].reduce(0) { $0 << 8 | Int($1) }
    looped.replaceSubrange(level1..<level1 + 8, with: [0x80] + Array(image[41..<48]))
    let reader = try DiskReader(bytes: looped, name: "disk.img", format: .qcow2)
    var position = 0
    while let data = try reader.nextData(from: position) { position = data.upperBound }
    #expect(try reader.read(at: 0, count: 1) == [0x80])
    // A frame header with a window of 2^41 bytes (RFC 8878, 3.1.1.1.2).
    var greedy = image
    let cluster = try #require(
      image.indices.first { image[$0...].starts(with: [0x28, 0xb5, 0x2f, 0xfd]) })
    greedy[cluster + 4] = 0
    greedy[cluster + 5] = 0xf8
    let other = try DiskReader(bytes: greedy, name: "disk.img", format: .qcow2)
    let error = #expect(throws: DiskImageError.self) { try other.read(at: 0, count: 1) }
    #expect("\(error as Any)".contains("is damaged"), "\(error as Any)")
  }

  private func expectRefused(
    _ reason: String, _ open: () throws(DiskImageError) -> DiskReader,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    do throws(DiskImageError) {
      _ = try open()
      Issue.record("was opened, and not refused for \(reason)", sourceLocation: sourceLocation)
    } catch {
      #expect("\(error)".contains(reason), sourceLocation: sourceLocation)
    }
  }
}
