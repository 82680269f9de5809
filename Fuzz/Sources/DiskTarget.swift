import DiskImage

/// Reads a disk out of an image: the first byte says of which format and whether the rest is
/// packed as for the target `ext4`, since some formats are zeros for the most part.
func tryDisk(_ input: [UInt8]) -> CInt {
  let formats: [DiskFormat] = [.qcow2, .vmdk, .vhd, .vhdFixed, .vhdx]
  guard let first = input.first else { return 0 }
  let isPacked = first & 0x80 != 0
  let rest = Array(input.dropFirst())
  do throws(DiskImageError) {
    let disk = try DiskReader(
      bytes: isPacked ? PackedVolume(rest).prefix() : rest, name: "input",
      format: formats[Int(first & 0x7f) % formats.count])
    _ = try? PartitionTable.read(from: disk)  // A disk without one is as good.
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 100_000, alignment: 16)
    defer { buffer.deallocate() }
    for offset in stride(from: 0, to: min(disk.size, 8 << 20), by: buffer.count) {
      let part = UnsafeMutableRawBufferPointer(
        rebasing: buffer[..<min(buffer.count, disk.size - offset)])
      try disk.read(into: part, at: offset)
    }
    let end = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(512, disk.size)])
    try disk.read(into: end, at: disk.size - end.count)
  } catch {
    return 0
  }
  return 0
}

extension PackedVolume {
  /// All bytes up to the last KiB that is there.
  func prefix() -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: end * Self.piece)
    bytes.withUnsafeMutableBytes { buffer in
      // It is in memory, and the range is within it.
      try? read(into: buffer, at: 0)
    }
    return bytes
  }
}
