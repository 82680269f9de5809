public import EngineInterface
public import SystemIO

/// Turns a machine's file tree into a disk image that boots.
///
/// Nothing is mounted and no program of the tree runs, so that any user can convert a tree of any
/// architecture. The same source and options give the same bytes.
public struct Converter: Sendable {
  /// What decides the image beside its source.
  public let options: ConversionOptions
  private let host: HostContext
  /// For tests: runs between the scan of a directory and the reading of its files.
  var afterScan: @Sendable () throws -> Void = {}
  /// For tests: runs between the writing of an image and what follows, with where it is meanwhile.
  var afterWriting: @Sendable (String) throws -> Void = { _ in }
  /// For tests: reads files of a directory.
  var readFile: ReadAhead.Read = { (file, buffer, offset) throws(SystemError) in
    try file.read(into: buffer, at: offset)
  }

  /// Makes a converter.
  public init(_ options: ConversionOptions, host: HostContext) {
    self.options = options
    self.host = host
  }

  /// Converts a source into an image.
  ///
  /// The work is done on threads of its own. A task that is cancelled stops it, and then, as on
  /// every error, nothing stands under the final name that did not before.
  /// - Parameters:
  ///   - path: of the image; replaced when the new one is whole and durable.
  ///   - progress: called from any thread, a few times a second at most.
  /// - Throws: `ConversionError`, `ConversionCancelled`, or an error that names what failed.
  public func convert(
    _ source: ConversionSource, to path: String,
    progress: @escaping @Sendable (ActProgress) -> Void = { _ in }
  ) async throws -> Conversion {
    let cancellation = Cancellation()
    return try await withTaskCancellationHandler {
      try await onOwnThread {
        try ConversionRun(
          options: options, host: host, cancellation: cancellation, afterScan: afterScan,
          afterWriting: afterWriting, readFile: readFile, progress: progress
        ).run(source, to: path)
      }
    } onCancel: {
      cancellation.cancel()
    }
  }
}
