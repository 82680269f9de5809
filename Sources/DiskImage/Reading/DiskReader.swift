internal import Synchronization
public import SystemIO

/// Reads a guest's disk out of an image that may be hostile.
///
/// The format is what the caller says and never guessed; nothing the image names is opened. Every
/// number in it is checked, and look-ups take a fixed number of steps and a bounded memory: some
/// pages of tables and 8 MiB of clusters. So an image that was damaged gives an error that says
/// where, or bytes, and never more. Any thread may read at any time; reads block.
public final class DiskReader: Sendable {
  /// What the image's header says.
  public let inspection: DiskInspection
  private let input: ImageInput
  private let map: any DiskMap
  private let clusters: Mutex<ClusterCache>

  /// The guest's disk, in bytes.
  public var size: Int { inspection.virtualSize }

  /// Opens an image by its path.
  ///
  /// - Throws: `DiskImageError`; `refused` for one that leans on another file, is encrypted, was
  ///   not closed or needs a feature that is not read here.
  public convenience init(path: String, format: DiskFormat) throws(DiskImageError) {
    let descriptor: Descriptor
    do {
      descriptor = try Descriptor.open(path, [.read, .nonBlocking])
    } catch {
      throw .readFailed(error)
    }
    try self.init(descriptor, format: format)
  }

  /// Reads an image that is open; see `init(path:format:)`.
  public convenience init(
    _ descriptor: Descriptor, format: DiskFormat
  ) throws(DiskImageError) {
    try self.init(ImageInput(descriptor, format: format))
  }

  /// Reads an image in memory; see `init(path:format:)`.
  ///
  /// - Parameter name: what it is called in messages.
  public convenience init(
    bytes: [UInt8], name: String, format: DiskFormat
  ) throws(DiskImageError) {
    try self.init(ImageInput(bytes, name: name, format: format))
  }

  private init(_ input: ImageInput) throws(DiskImageError) {
    self.input = input
    let header = try readHeader(input)
    inspection = header.inspection
    try inspection.requireSelfContained(file: input.name)
    try inspection.requireClosed(file: input.name)
    map = try header.makeMap()
    clusters = Mutex(ClusterCache(clusterSize: map.unit))
  }

  /// Fills a buffer with the disk's bytes from an offset on.
  ///
  /// - Throws: `outOfReach` for bytes beyond the disk's end, `malformed` where the image is
  ///   damaged, `readFailed`.
  public func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(DiskImageError) {
    guard offset >= 0, buffer.count <= size, offset <= size - buffer.count else {
      throw .outOfReach(file: input.name, offset: offset, count: buffer.count)
    }
    var done = 0
    while done < buffer.count {
      let (index, within) = (offset + done).quotientAndRemainder(dividingBy: map.unit)
      let location = try map.locate(index)
      var room = map.unit - within
      if case .hole(let units) = location { room = units * map.unit - within }
      let end = min(buffer.count, done + room)
      let part = UnsafeMutableRawBufferPointer(rebasing: buffer[done..<end])
      try read(location, of: index, from: within, into: part)
      done = end
    }
  }

  /// The disk's bytes from an offset on; see `read(into:at:)`.
  public func read(at offset: Int, count: Int) throws(DiskImageError) -> [UInt8] {
    guard offset >= 0, count >= 0, count <= size, offset <= size - count else {
      throw .outOfReach(file: input.name, offset: offset, count: count)
    }
    var bytes = [UInt8](repeating: 0, count: count)
    try bytes.withUnsafeMutableBufferPointer { buffer throws(DiskImageError) in
      try read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
    }
    return bytes
  }

  /// The next stretch of the disk that the image holds bytes for, from an offset on; nil where all
  /// that is left is zeros.
  ///
  /// It is cut at 64 MiB, so that the answer comes soon, and may hold zeros too.
  public func nextData(from offset: Int) throws(DiskImageError) -> Range<Int>? {
    guard offset >= 0, offset < size else { return nil }
    let count = (size + map.unit - 1) / map.unit
    var index = offset / map.unit
    while index < count, case .hole(let units) = try map.locate(index) { index += units }
    if index >= count { return nil }
    let first = index
    let most = first + max(1, (64 << 20) / map.unit)
    index += 1
    while index < min(count, most) {
      if case .hole = try map.locate(index) { break }
      index += 1
    }
    return max(offset, first * map.unit)..<min(size, index * map.unit)
  }

  private func read(
    _ location: DiskLocation, of index: Int, from within: Int,
    into part: UnsafeMutableRawBufferPointer
  ) throws(DiskImageError) {
    switch location {
    case .hole: part.initializeMemory(as: UInt8.self, repeating: 0)
    case .plain(let start):
      // The sum can't overflow: maps answer offsets of at most 2^56.
      try input.read(into: part, at: start + within, "the disk's data at \(index * map.unit)")
    case .compressed(let start, let count, let method):
      if let bytes = clusters.withLock({ $0.find(start) }) {
        return Self.copy(bytes, from: within, into: part)
      }
      let bytes = try decompress(index, start, count, method)
      Self.copy(bytes, from: within, into: part)
      clusters.withLock { $0.add(start, bytes) }
    }
  }

  private static func copy(
    _ bytes: [UInt8], from within: Int, into part: UnsafeMutableRawBufferPointer
  ) {
    bytes.withUnsafeBytes {
      part.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[within..<within + part.count]))
    }
  }

  private func decompress(
    _ index: Int, _ start: Int, _ count: Int, _ method: Decompression
  ) throws(DiskImageError) -> [UInt8] {
    let what = "the compressed cluster for the disk's \(index * map.unit)"
    // The size is given in sectors, of which the last may be cut by the file's end.
    let compressed = try input.bytes(at: start, count: min(count, max(1, input.size - start)), what)
    var result = [UInt8](repeating: 0, count: map.unit)
    let produced = compressed.withUnsafeBytes { source in
      result.withUnsafeMutableBytes { method.run(source, into: $0) }
    }
    // The disk's last cluster may be shorter; what is missing is beyond the disk's end.
    guard let produced, produced >= min(map.unit, size - index * map.unit) else {
      throw input.malformed("\(what) at offset \(start) is damaged")
    }
    return result
  }
}

/// Clusters decompressed lately, by their offset in the file.
private struct ClusterCache: Sendable {
  private var clusters: [Int: [UInt8]] = [:]
  private var order: [Int] = []
  private let capacity: Int

  init(clusterSize: Int) { capacity = min(128, max(2, (8 << 20) / max(1, clusterSize))) }

  func find(_ offset: Int) -> [UInt8]? { clusters[offset] }

  mutating func add(_ offset: Int, _ bytes: [UInt8]) {
    guard clusters.updateValue(bytes, forKey: offset) == nil else { return }
    order.append(offset)
    if order.count > capacity { clusters[order.removeFirst()] = nil }
  }
}
