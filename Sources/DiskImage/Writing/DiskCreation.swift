public import SystemIO

/// Makes an empty disk that a guest runs from, raw or qcow2, in an empty file.
///
/// - Parameter virtualSize: a multiple of 512 bytes.
public func makeEmptyDisk(
  _ descriptor: Descriptor, format: DiskFormat, virtualSize: Int
) throws(DiskImageError) {
  try check(virtualSize, descriptor.name)
  let output = ImageOutput(descriptor)
  switch format {
  case .raw: try output.resize(to: virtualSize)
  case .qcow2:
    try Qcow2Metadata(virtualSize: virtualSize).write([], dataEnd: clusterSize, to: output)
  case .vmdk, .vhd, .vhdFixed, .vhdx, .ova:
    throw .unsuitable(
      file: descriptor.name, reason: "no guest runs from an image in the format \(format.rawValue)")
  }
}

/// Makes a qcow2 image in an empty file that shows another image until it is written to.
///
/// - Parameters:
///   - virtualSize: a multiple of 512 bytes; beyond the backing image the disk reads as zeros.
///   - backingFile: as QEMU opens it, relative to the overlay's directory or absolute; at most
///     1023 bytes, and not in QEMU's `protocol:` or `json:` forms.
///   - backingFormat: stated, so that nobody ever guesses it from the backing file's content.
public func makeOverlayDisk(
  _ descriptor: Descriptor, virtualSize: Int, backingFile: String, backingFormat: DiskFormat
) throws(DiskImageError) {
  try check(virtualSize, descriptor.name)
  let length = backingFile.utf8.count
  guard (1...1023).contains(length) else {
    throw .outOfRange(
      file: descriptor.name, what: "the backing file name's length", value: length)
  }
  // QEMU takes what stands before a colon in the first component for a protocol.
  guard !backingFile.prefix(while: { $0 != "/" }).contains(":") else {
    throw .refused(
      file: descriptor.name, reason: "the backing file name '\(backingFile)' begins a protocol")
  }
  try Qcow2Metadata(virtualSize: virtualSize, backing: (backingFile, backingFormat))
    .write([], dataEnd: clusterSize, to: ImageOutput(descriptor))
}

private func check(_ virtualSize: Int, _ file: String) throws(DiskImageError) {
  guard (0...largestDisk).contains(virtualSize), virtualSize % 512 == 0 else {
    throw .outOfRange(file: file, what: "the disk's size", value: virtualSize)
  }
}
