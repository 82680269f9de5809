import DiskImage
import SystemIO
import TestSupport
import Testing

/// A disk's content for tests: made of stretches of several kinds, and written in any order.
struct GuestDisk {
  var bytes: [UInt8]

  init(size: Int) { bytes = [UInt8](repeating: 0, count: size) }

  /// A disk of stretches that compress well, not at all, or are zeros.
  static func random(size: Int, using generator: inout SeededGenerator) -> GuestDisk {
    var disk = GuestDisk(size: size)
    var position = 0
    while position < size {
      let count = min(size - position, Int.random(in: 1...200_000, using: &generator))
      switch Int.random(in: 0..<3, using: &generator) {
      case 0: disk.bytes.replaceSubrange(position..<position + count, with: generator.bytes(count))
      case 1:
        let pattern = generator.bytes(Int.random(in: 1...40, using: &generator))
        for index in 0..<count { disk.bytes[position + index] = pattern[index % pattern.count] }
      default: break
      }
      position += count
    }
    return disk
  }

  /// Cuts the disk into pieces of random size.
  func pieces(using generator: inout SeededGenerator, largest: Int = 150_000) -> [Range<Int>] {
    var pieces: [Range<Int>] = []
    var position = 0
    while position < bytes.count {
      let end = min(bytes.count, position + Int.random(in: 1...largest, using: &generator))
      pieces.append(position..<end)
      position = end
    }
    return pieces
  }

  /// Writes pieces of it as an image and answers the image's path.
  func write(
    _ pieces: [Range<Int>], as name: String, in scratch: Scratch, format: DiskFormat,
    compression: DiskCompression = .fast, threads: Int = 2
  ) throws -> String {
    let writer = try DiskWriter(
      scratch.create(name), format: format, compression: compression, threads: threads)
    try bytes.withUnsafeBytes { all in
      for piece in pieces {
        try writer.write(UnsafeRawBufferPointer(rebasing: all[piece]), at: piece.lowerBound)
      }
    }
    let summary = try writer.finish(virtualSize: bytes.count)
    #expect(summary.virtualSize == bytes.count)
    #expect(summary.fileSize == (try Descriptor.open(scratch.file(name), .read).size()))
    return scratch.file(name)
  }
}

extension DiskFormat {
  /// What `DiskWriter` writes.
  static let written = allCases.filter { $0 != .ova }

  /// QEMU's name of it.
  var driver: String {
    switch self {
    case .vhd, .vhdFixed: "vpc"
    default: rawValue
    }
  }

  /// Whether `qemu-img check` knows it.
  var isChecked: Bool { [.qcow2, .vmdk, .vhdx].contains(self) }
}

/// Whether QEMU finds the image sound, and both QEMU and our reader find the bytes in it.
func expectSound(
  _ image: String, as format: DiskFormat = .qcow2, equals disk: GuestDisk, in scratch: Scratch
) throws {
  if format.isChecked {
    let checked = try Tool.run("qemu-img", ["check", "-f", format.driver, image])
    #expect(checked.status == 0, "\(checked.output)")
    #expect(checked.output.contains("No errors were found"), "\(checked.output)")
  }
  let raw = try scratch.write("expected.raw", disk.bytes)
  let compared = try Tool.run(
    "qemu-img", ["compare", "-f", "raw", "-F", format.driver, raw, image])
  #expect(compared.status == 0, "\(compared.output)")
  let size = try Tool.check("qemu-img", ["info", "--output=json", "-f", format.driver, image])
  #expect(size.contains("\"virtual-size\": \(disk.bytes.count),"), "\(size)")
}
