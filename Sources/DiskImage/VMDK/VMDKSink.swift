/// Writes a streamOptimized VMDK: compressed grains, each with its place, then the tables.
///
/// Importers read such a file as a stream and take grains in ascending order only. Clusters that
/// came in another order are put right in the end by a copy behind them, which is then moved down:
/// the file takes twice its size for that moment.
final class VMDKSink: ClusterSink {
  /// A grain in the file, its marker and padding counted.
  private struct Grain {
    let cluster: Int
    let offset: Int
    let size: Int
  }

  /// Header and description, in bytes; the first grain follows.
  private static let overhead = 64 << 10
  private static let descriptorSectors = 20

  private let output: ImageOutput
  private var grains: [Grain] = []
  private var identity = ContentIdentity()
  private var end = overhead
  /// What waits to be written at `end - waiting.count`.
  private var waiting: [UInt8] = []

  init(_ output: ImageOutput) { self.output = output }

  func append(
    cluster: Int, _ bytes: UnsafeRawBufferPointer, compressed: Bool
  ) throws(DiskImageError) {
    guard compressed else {
      throw .compressorFailed(file: output.file, reason: "deflate failed")
    }
    identity.add(cluster, bytes)
    var marker = ByteBuilder()
    marker.little(UInt64(cluster * (clusterSize / VMDKFormat.sector)))
    marker.little(UInt32(bytes.count))
    let size = roundUp(marker.bytes.count + bytes.count, to: VMDKFormat.sector)
    grains.append(Grain(cluster: cluster, offset: end, size: size))
    waiting += marker.bytes
    waiting += bytes
    waiting += repeatElement(0, count: size - marker.bytes.count - bytes.count)
    end += size
    if waiting.count >= 1 << 20 { try flush() }
  }

  func finish(virtualSize: Int) throws(DiskImageError) {
    try flush()
    try sortGrains()
    let directory = try writeTables(virtualSize)
    func header(_ directory: Int?) -> [UInt8] {
      VMDKStreamHeader(
        capacity: virtualSize / VMDKFormat.sector, directoryOffset: directory,
        overhead: Self.overhead / VMDKFormat.sector, descriptorSize: Self.descriptorSectors
      ).bytes
    }
    let footer =
      marker(.footer, sectors: 1) + header(directory / VMDKFormat.sector)
      + marker(.endOfStream, sectors: 0)
    waiting += footer
    end += footer.count
    try flush()
    try output.resize(to: end)
    var front = ByteBuilder()
    front.append(header(nil))
    front.append(descriptor(virtualSize))
    front.pad(to: Self.overhead)
    try output.write(front.bytes, at: 0)
  }

  private func flush() throws(DiskImageError) {
    if !waiting.isEmpty { try output.write(waiting, at: end - waiting.count) }
    waiting.removeAll(keepingCapacity: true)
  }

  /// Writes the grain tables and their directory and answers the directory's offset in bytes.
  private func writeTables(_ virtualSize: Int) throws(DiskImageError) -> Int {
    let reach = VMDKFormat.tableCount * clusterSize
    var directory = [UInt32](repeating: 0, count: (virtualSize + reach - 1) / reach)
    var rest = grains[...]
    while let first = rest.first {
      let index = first.cluster / VMDKFormat.tableCount
      let members = rest.prefix { $0.cluster / VMDKFormat.tableCount == index }
      rest = rest.dropFirst(members.count)
      var table = [UInt32](repeating: 0, count: VMDKFormat.tableCount)
      for grain in members {
        table[grain.cluster % VMDKFormat.tableCount] = try sector(of: grain.offset)
      }
      directory[index] = try append(table, after: .grainTable)
    }
    return Int(try append(directory, after: .grainDirectory)) * VMDKFormat.sector
  }

  /// Puts a table and its marker at the end and answers the table's sector.
  private func append(
    _ table: [UInt32], after kind: VMDKFormat.Marker
  ) throws(DiskImageError) -> UInt32 {
    var bytes = ByteBuilder()
    table.forEach { bytes.little($0) }
    bytes.pad(to: roundUp(table.count * 4, to: VMDKFormat.sector))
    waiting += marker(kind, sectors: bytes.bytes.count / VMDKFormat.sector) + bytes.bytes
    let place = try sector(of: end + VMDKFormat.sector)
    end += VMDKFormat.sector + bytes.bytes.count
    if waiting.count >= 1 << 20 { try flush() }
    return place
  }

  private func marker(_ kind: VMDKFormat.Marker, sectors: Int) -> [UInt8] {
    var marker = ByteBuilder()
    marker.little(UInt64(sectors))
    marker.little(UInt32(0))
    marker.little(kind.rawValue)
    marker.pad(to: VMDKFormat.sector)
    return marker.bytes
  }

  private func sector(of offset: Int) throws(DiskImageError) -> UInt32 {
    if let sector = UInt32(exactly: offset / VMDKFormat.sector) { return sector }
    throw .outOfRange(
      file: output.file, what: "the VMDK's length (2 TiB at most)", value: offset)
  }

  private func descriptor(_ virtualSize: Int) -> [UInt8] {
    let id = identity.guid(0, virtualSize: virtualSize).bytes[..<4]
    // All ones means "no parent" and is no disk's own.
    let number = min(id.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }, .max - 2)
    let digits = String(number, radix: 16)
    let sectors = virtualSize / VMDKFormat.sector
    let text = """
      # Disk DescriptorFile
      version=1
      CID=\(String(repeating: "0", count: 8 - digits.count))\(digits)
      parentCID=ffffffff
      createType="streamOptimized"

      # Extent description
      RW \(sectors) SPARSE "disk.vmdk"

      # The Disk Data Base
      #DDB

      ddb.adapterType = "lsilogic"
      ddb.geometry.cylinders = "\(min(sectors / (255 * 63), 65535))"
      ddb.geometry.heads = "255"
      ddb.geometry.sectors = "63"
      ddb.virtualHWVersion = "10"

      """
    return Array(text.utf8)
  }
}

// MARK: - Putting grains in order

extension VMDKSink {
  private func sortGrains() throws(DiskImageError) {
    let isSorted = zip(grains, grains.dropFirst()).allSatisfy { $0.cluster < $1.cluster }
    if isSorted { return }
    // What stands right from the beginning stays.
    let sorted = grains.sorted { $0.cluster < $1.cluster }
    let right = zip(grains, sorted).prefix { $0.offset == $1.offset }.count
    let start = grains[right].offset
    let oldEnd = end
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
    defer { buffer.deallocate() }
    var ordered = Array(grains[..<right])
    for grain in sorted[right...] {
      let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<grain.size])
      try output.read(into: part, at: grain.offset)
      ordered.append(
        Grain(cluster: grain.cluster, offset: end - oldEnd + start, size: grain.size))
      waiting += part
      end += grain.size
      if waiting.count >= 1 << 20 { try flush() }
    }
    try flush()
    var moved = 0
    while moved < oldEnd - start {
      let count = min(buffer.count, oldEnd - start - moved)
      let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
      try output.read(into: part, at: oldEnd + moved)
      try output.write(UnsafeRawBufferPointer(part), at: start + moved)
      moved += count
    }
    grains = ordered
    end = oldEnd
    try output.resize(to: end)
  }
}
