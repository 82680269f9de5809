public import SystemIO

/// Writes a guest's disk in any format from bytes that arrive in almost any order.
///
/// Bytes are gathered into clusters of 64 KiB; a cluster goes to the compressing threads when its
/// last byte has arrived, and what is incomplete waits in memory until `finish`. So ascending
/// writes cost no memory, and the front of the disk may come last. Each byte is written at most
/// once; what is never written reads as zeros and takes no room. The file's bytes depend on what
/// is written in which order, never on the number of threads.
///
/// Belongs to one thread at a time and blocks it. Dropped before `finish`, it ends its threads and
/// leaves a file that is of no use; the caller removes it (`PendingFile` does so).
public final class DiskWriter {
  /// What an image came to.
  public struct Summary: Hashable, Sendable {
    /// The guest's disk, in bytes.
    public let virtualSize: Int
    /// The image file's length, in bytes.
    public let fileSize: Int
    /// Bytes that were written into the file; holes don't count.
    public let bytesWritten: Int
  }

  private let file: String
  private let output: ImageOutput
  private let pipeline: ClusterPipeline
  private let format: DiskFormat
  private let sink: any ClusterSink
  private var assembler = ClusterAssembler()
  /// The end of the furthest write, in bytes of the guest's disk.
  private var furthest = 0
  private var isFinished = false

  /// Begins an image in an empty file that is open for writing.
  ///
  /// - Parameters:
  ///   - compression: of the clusters of a qcow2 image. A VMDK is deflated at the level of `zlib`,
  ///     at 1 where another is given; the other formats are not compressed.
  ///   - threads: how many compress, 1 to 256; the caller's thread is not one of them.
  public init(
    _ descriptor: Descriptor, format: DiskFormat, compression: DiskCompression = .fast,
    threads: Int
  ) throws(DiskImageError) {
    file = descriptor.name
    guard (1...256).contains(threads) else {
      throw .outOfRange(file: descriptor.name, what: "number of threads", value: threads)
    }
    output = ImageOutput(descriptor)
    self.format = format
    sink = try Self.makeSink(format, compression, output)
    let compressors = try (0..<threads).map { _ throws(DiskImageError) in
      try ClusterCompressor(compression, for: format, file: descriptor.name)
    }
    pipeline = try ClusterPipeline(sink: sink, compressors: compressors, file: file)
  }

  private static func makeSink(
    _ format: DiskFormat, _ compression: DiskCompression, _ output: ImageOutput
  ) throws(DiskImageError) -> any ClusterSink {
    switch format {
    case .raw: return PlainSink(output, RawLayout())
    case .qcow2:
      if case .zstd = compression { return Qcow2Sink(output, zstd: true) }
      return Qcow2Sink(output, zstd: false)
    case .vmdk: return VMDKSink(output)
    case .vhd: return PlainSink(output, VHDLayout())
    case .vhdFixed: return PlainSink(output, FixedVHDLayout())
    case .vhdx: return PlainSink(output, VHDXLayout())
    case .ova:
      throw .unsuitable(file: output.file, reason: "an OVA is packed around a VMDK")
    }
  }

  deinit {
    pipeline.close()
    for (_, partial) in assembler.partials { partial.buffer.deallocate() }
  }

  /// Puts bytes at an offset of the guest's disk; they are copied before it returns.
  ///
  /// - Throws: `writtenTwice` where some of them were written before, `outOfRange`, and the
  ///   failure of an earlier write of the image, which need not be that of these bytes.
  public func write(
    _ bytes: UnsafeRawBufferPointer, at offset: Int
  ) throws(DiskImageError) {
    try check(offset, bytes.count)
    var done = 0
    while done < bytes.count {
      let range = part(of: offset + done, bytes.count - done)
      let cluster = (offset + done) / clusterSize
      let partial = try open(cluster, range)
      UnsafeMutableRawBufferPointer(start: partial.buffer + range.lowerBound, count: range.count)
        .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[done..<done + range.count]))
      if partial.isComplete { try submit(cluster) }
      done += range.count
    }
  }

  /// Puts bytes at an offset of the guest's disk.
  public func write(_ bytes: [UInt8], at offset: Int) throws(DiskImageError) {
    try bytes.withUnsafeBufferPointer { buffer throws(DiskImageError) in
      try write(UnsafeRawBufferPointer(buffer), at: offset)
    }
  }

  /// Says that a stretch of the disk is zeros, so that clusters with holes needn't wait.
  ///
  /// Never needed: what isn't written is zeros in the end. It counts as a write of its bytes.
  public func writeZeros(count: Int, at offset: Int) throws(DiskImageError) {
    try check(offset, count)
    var done = 0
    while done < count {
      let range = part(of: offset + done, count - done)
      let cluster = (offset + done) / clusterSize
      done += range.count
      if range.count == clusterSize {
        guard assembler.partials[cluster] == nil, !assembler.isSealed(cluster) else {
          throw .writtenTwice(file: file, offset: cluster * clusterSize)
        }
        assembler.seal(cluster)
        continue
      }
      let partial = try open(cluster, range)
      partial.zero(range)
      if partial.isComplete { try submit(cluster) }
    }
  }

  /// Completes the image: what waits, then the format's tables, its header last.
  ///
  /// The file is not synchronised; `PendingFile.commit` does that.
  ///
  /// - Parameter virtualSize: of the guest's disk: a multiple of 512 bytes, no less than the
  ///   furthest write.
  public func finish(virtualSize: Int) throws(DiskImageError) -> Summary {
    guard !isFinished, (0...format.largestDisk).contains(virtualSize), virtualSize % 512 == 0,
      virtualSize >= furthest
    else { throw .outOfRange(file: file, what: "the disk's size", value: virtualSize) }
    isFinished = true
    for cluster in assembler.partials.keys.sorted() {
      assembler.partials[cluster]?.fillGaps()
      try submit(cluster)
    }
    try pipeline.finish()
    try sink.finish(virtualSize: virtualSize)
    return Summary(
      virtualSize: virtualSize, fileSize: output.size, bytesWritten: output.bytesWritten)
  }

  private func check(_ offset: Int, _ count: Int) throws(DiskImageError) {
    let (end, overflow) = offset.addingReportingOverflow(count)
    guard offset >= 0, count >= 0, !overflow, end <= format.largestDisk, !isFinished else {
      throw .outOfRange(file: file, what: "the disk's offset", value: offset)
    }
    furthest = max(furthest, end)
  }

  /// The part of a cluster that a write from `offset` on covers.
  private func part(of offset: Int, _ count: Int) -> Range<Int> {
    let start = offset % clusterSize
    return start..<min(clusterSize, start + count)
  }

  private func open(
    _ cluster: Int, _ range: Range<Int>
  ) throws(DiskImageError) -> ClusterAssembler.Partial {
    if let partial = assembler.open(cluster, range, pipeline.takeBuffer) { return partial }
    throw .writtenTwice(file: file, offset: cluster * clusterSize + range.lowerBound)
  }

  private func submit(_ cluster: Int) throws(DiskImageError) {
    guard let partial = assembler.close(cluster) else { return }
    try pipeline.submit(cluster: cluster, partial.buffer)
  }
}
