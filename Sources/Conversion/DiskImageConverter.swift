public import DiskImage
public import EngineInterface
public import SystemIO

/// What a disk image became in another format.
public struct ConvertedDisk: Hashable, Sendable {
  /// The guest's disk, in bytes.
  public var virtualSize: Int
  /// The new file's length, in bytes.
  public var fileSize: Int
  /// SHA-256 of the new file in hexadecimal.
  public var digest: String
  /// Internal snapshots of the source, of which nothing was taken over.
  public var passedOverSnapshots: Int
  /// The firmware that finds something to start on the disk: `bios`, `uefi`.
  public var firmware: [String]
}

/// Turns a disk image of one format into another, with no program but this one.
///
/// The source may be hostile: its format is named and never guessed, nothing it names is opened,
/// and what can't be read safely is refused (see `DiskReader`).
public struct DiskImageConverter: Sendable {
  /// The format of the source.
  public var source: DiskFormat
  /// The format that is written.
  public var target: DiskFormat
  /// How it is compressed, where the format compresses.
  public var compression = DiskCompression.fast
  /// The guest's disk in bytes, no less than the source's; nil keeps that.
  public var size: Int?
  /// Threads that compress; nil means one a processor.
  public var threads: Int?
  private let host: HostContext

  /// Makes a converter between two formats.
  public init(from source: DiskFormat, to target: DiskFormat, host: HostContext) {
    self.source = source
    self.target = target
    self.host = host
  }

  /// Converts a file into a new one at `path`.
  ///
  /// The work is done on threads of its own. A task that is cancelled stops it, and then, as on
  /// every error, nothing stands under the final name that did not before.
  ///
  /// - Parameter progress: called from any thread, once in some MiB.
  /// - Throws: `DiskImageError`, `ConversionError`, `ConversionCancelled`, `SystemError`.
  public func convert(
    _ file: String, to path: String,
    progress: @escaping @Sendable (ActProgress) -> Void = { _ in }
  ) async throws -> ConvertedDisk {
    let cancellation = Cancellation()
    return try await withTaskCancellationHandler {
      try await onOwnThread {
        try DiskFileCopy(
          host: host, cancellation: cancellation, compression: compression, threads: threads,
          progress: progress
        ).run(file, source, to: path, as: target, size: size)
      }
    } onCancel: {
      cancellation.cancel()
    }
  }
}
