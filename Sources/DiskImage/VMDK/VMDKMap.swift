/// The grain directory and the grain tables of a sparse VMDK.
struct VMDKMap: DiskMap {
  let unit: Int
  private let input: ImageInput
  private let tableCount: Int
  private let directoryOffset: Int
  private let isCompressed: Bool
  private let hasZeroGrains: Bool
  private let directory: ImageTable
  private let tables: ImageTable

  init(
    _ input: ImageInput, grainSize: Int, tableCount: Int, directoryOffset: Int,
    isCompressed: Bool, hasZeroGrains: Bool
  ) {
    unit = grainSize
    self.input = input
    self.tableCount = tableCount
    self.directoryOffset = directoryOffset
    self.isCompressed = isCompressed
    self.hasZeroGrains = hasZeroGrains
    directory = ImageTable(input, "the grain directory")
    tables = ImageTable(input, "a grain table")
  }

  func locate(_ index: Int) throws(DiskImageError) -> DiskLocation {
    let (tableIndex, within) = index.quotientAndRemainder(dividingBy: tableCount)
    let table = Int(try directory.little(UInt32.self, at: directoryOffset + tableIndex * 4))
    if table == 0 { return .hole(units: tableCount - within) }
    let grain = Int(try tables.little(UInt32.self, at: table * VMDKFormat.sector + within * 4))
    if grain == 0 || grain == 1 && hasZeroGrains { return .hole(units: 1) }
    let offset = grain * VMDKFormat.sector
    return isCompressed ? try compressed(index, at: offset) : .plain(at: offset)
  }

  /// A grain with its marker: the disk's sector and the size of what follows.
  private func compressed(_ index: Int, at offset: Int) throws(DiskImageError) -> DiskLocation {
    let marker = try ImageFields(input, at: offset, count: 12, "the marker of a grain")
    let sector = try marker.little(UInt64.self, at: 0, "sector")
    guard sector == UInt64(index * (unit / VMDKFormat.sector)) else {
      throw marker.malformed("grain's sector", sector, at: 0)
    }
    let size = try marker.little(UInt32.self, at: 8, "size")
    guard size > 0, size <= 2 * unit else { throw marker.malformed("grain's size", size, at: 8) }
    return .compressed(at: offset + 12, size: Int(size), .zlib)
  }
}
