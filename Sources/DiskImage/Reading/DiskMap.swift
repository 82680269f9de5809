/// Where a unit of the guest's disk is in the image.
enum DiskLocation {
  /// Nowhere: this unit and more after it are zeros; `units` is at least 1.
  case hole(units: Int)
  /// As it is, at an offset of the file.
  case plain(at: Int)
  /// Compressed, in `size` bytes at an offset of the file, of which some at the end may be others'.
  case compressed(at: Int, size: Int, Decompression)
}

/// How an image says where the disk's bytes are.
///
/// A look-up takes a fixed number of steps, whatever the image's tables say, and holds no more
/// than a page of each.
protocol DiskMap: Sendable {
  /// The bytes that one look-up answers for.
  var unit: Int { get }

  /// Where a unit of the disk is.
  ///
  /// - Parameter index: of a unit that begins within the disk.
  func locate(_ index: Int) throws(DiskImageError) -> DiskLocation
}

/// The bytes as they are, from the file's beginning: a raw disk, or a fixed VHD.
struct PlainMap: DiskMap {
  let unit = clusterSize
  let input: ImageInput
  let size: Int

  func locate(_ index: Int) throws(DiskImageError) -> DiskLocation {
    let offset = index * unit
    let data = try input.nextData(from: offset)?.lowerBound ?? Int.max
    if data < offset + unit { return .plain(at: offset) }
    let end = min(data, size)
    return .hole(
      units: max(1, end < size ? (end - offset) / unit : (end - offset + unit - 1) / unit))
  }
}
