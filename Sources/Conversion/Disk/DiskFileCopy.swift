internal import DiskImage
internal import EngineInterface
internal import SystemIO

/// Rewrites a disk image from outside: what it holds is read as the format it is said to be by code
/// that follows nothing the image names, and written anew, so that nothing of its structure is
/// trusted afterwards.
struct DiskFileCopy {
  let host: HostContext
  let cancellation: Cancellation
  var compression = DiskCompression.fast
  /// Threads that compress; nil means one a processor.
  var threads: Int?
  /// Told how much of the disk is done.
  var progress: (ActProgress) -> Void = { _ in }

  /// Rewrites `source` as a new file at `path`.
  ///
  /// - Parameter size: of the guest's disk, in bytes; nil keeps the source's, less is refused.
  func run(
    _ source: String, _ format: DiskFormat, to path: String, as wanted: DiskFormat, size: Int?
  ) throws -> ConvertedDisk {
    let reader = try DiskReader(path: source, format: format)
    if let size, size < reader.size {
      throw ConversionError(
        "the disk's size of \(size) bytes is \(reader.size - size) bytes less than that of "
          + source, help: "give a larger size or none")
    }
    let file = try ImageFile(replacing: path, wanted)
    let writer = try DiskWriter(
      file.descriptor, format: wanted.ofDisk, compression: compression,
      threads: threads ?? host.processors)
    try copy(reader, to: writer)
    // Only raw files from elsewhere have sizes that are no whole sectors.
    let virtualSize = (max(size ?? 0, reader.size) + 511) / 512 * 512
    progress(ActProgress(phase: "finishing"))
    let written = try writer.finish(virtualSize: virtualSize)
    let result = try file.commit(virtualSize: virtualSize, cancellation: cancellation)
    return ConvertedDisk(
      virtualSize: written.virtualSize, fileSize: result.fileSize, digest: result.digest,
      passedOverSnapshots: reader.inspection.snapshots,
      firmware: try firmwareStarting(from: reader))
  }

  /// Copies what the image holds bytes for; the writer leaves zeros out.
  private func copy(_ reader: DiskReader, to writer: DiskWriter) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
    defer { buffer.deallocate() }
    var position = 0
    var reported = 0
    while let data = try reader.nextData(from: position) {
      position = data.lowerBound
      while position < data.upperBound {
        try cancellation.check()
        // Cut where clusters end, so that each is read and compressed once.
        let room = buffer.count - position % buffer.count
        let part = UnsafeMutableRawBufferPointer(
          rebasing: buffer[..<min(room, data.upperBound - position)])
        try reader.read(into: part, at: position)
        try writer.write(UnsafeRawBufferPointer(part), at: position)
        position += part.count
        guard position - reported >= 8 << 20 else { continue }
        reported = position
        progress(ActProgress(phase: "copying", completed: position, total: reader.size))
      }
    }
  }
}
