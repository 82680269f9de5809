internal import DiskImage
internal import SystemIO

/// The file of an image being written: the disk itself or, for an OVA, the archive that is packed
/// around the disk in the end.
final class ImageFile {
  private let format: DiskFormat
  private let file: PendingFile
  private let disk: PendingFile?

  /// Where the disk's bytes go.
  var descriptor: Descriptor { (disk ?? file).descriptor }

  /// Begins an image that is to stand at `path`.
  init(replacing path: String, _ format: DiskFormat) throws {
    self.format = format
    file = try PendingFile(replacing: path, permissions: 0o644)
    disk =
      format == .ova ? try PendingFile(replacing: path, suffix: ".disk.partial") : nil
  }

  /// Packs what has to be packed, digests the image while it goes to stable storage, then gives it
  /// its name.
  func commit(
    virtualSize: Int, cancellation: Cancellation
  ) throws -> (digest: String, fileSize: Int) {
    if let disk {
      try Appliance(path: file.path, virtualSize: virtualSize)
        .pack(disk.descriptor, to: file.descriptor, cancellation: cancellation)
    }
    let descriptor = file.descriptor
    // The commit synchronises again and reports what goes wrong; this only starts it early.
    let flush = try WorkerThread { try? descriptor.synchronize() }
    defer { flush.join() }
    let digest = try Digest.ofFile(descriptor)
    let size = try descriptor.size()
    try cancellation.check()
    try file.commit()
    return (digest, size)
  }
}

extension DiskFormat {
  /// The format of the disk alone.
  var ofDisk: DiskFormat { self == .ova ? .vmdk : self }
}
