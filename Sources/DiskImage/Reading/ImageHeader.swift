/// An image's header, checked.
protocol ImageHeader {
  /// What it says.
  var inspection: DiskInspection { get }

  /// Where the disk's bytes are.
  func makeMap() throws(DiskImageError) -> any DiskMap
}

/// Reads the header of the format an image is said to be.
func readHeader(_ input: ImageInput) throws(DiskImageError) -> any ImageHeader {
  switch input.format {
  case .raw: RawHeader(input: input)
  case .qcow2: try Qcow2Header(input)
  case .vmdk: try VMDKHeader(input)
  case .vhd, .vhdFixed: try VHDHeader(input)
  case .vhdx: try VHDXHeader(input)
  case .ova:
    throw .unsuitable(
      file: input.name,
      reason: "an OVA is an archive; unpack it with tar and read the disk in it as vmdk")
  }
}

/// A raw disk, which has no header.
struct RawHeader: ImageHeader {
  let input: ImageInput

  var inspection: DiskInspection {
    DiskInspection(format: .raw, virtualSize: input.size, fileSize: input.size)
  }

  func makeMap() -> any DiskMap { PlainMap(input: input, size: input.size) }
}
