/// The block allocation table of a VHDX (MS-VHDX, 2.5).
struct VHDXMap: DiskMap {
  let unit: Int
  private let input: ImageInput
  private let tableOffset: Int
  private let chunkRatio: Int
  private let table: ImageTable

  init(_ input: ImageInput, tableOffset: Int, blockSize: Int, chunkRatio: Int) {
    self.input = input
    self.tableOffset = tableOffset
    unit = blockSize
    self.chunkRatio = chunkRatio
    table = ImageTable(input, "the block table")
  }

  func locate(_ index: Int) throws(DiskImageError) -> DiskLocation {
    let place = tableOffset + (index + index / chunkRatio) * 8
    let entry = try table.little(UInt64.self, at: place)
    switch VHDXFormat.BlockState(rawValue: entry & 7) {
    case .notPresent, .undefined, .zero, .unmapped: return .hole(units: 1)
    case .fullyPresent:
      // In units of 1 MiB: bits 20 to 63, of which no file reaches the highest.
      guard let offset = Int(exactly: entry & ~0xf_ffff), offset >= VHDXFormat.unit,
        offset < 1 << 56
      else { throw malformed(entry, at: place) }
      return .plain(at: offset)
    case .partiallyPresent, nil: throw malformed(entry, at: place)
    }
  }

  private func malformed(_ entry: UInt64, at place: Int) -> DiskImageError {
    input.malformed(
      "the entry of the block table at offset \(place) is 0x\(String(entry, radix: 16))")
  }
}
