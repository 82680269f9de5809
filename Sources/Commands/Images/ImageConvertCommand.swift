internal import ArgumentParser
internal import Conversion
internal import DiskImage
internal import EngineInterface
internal import JSON
internal import SystemIO

struct ImageConvertCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Turn a disk image into another format.",
    discussion: """
      The image is read by code that follows nothing it names: one with a backing file, external \
      data, encryption or a log to be replayed is refused. Its format is never guessed. Internal \
      snapshots are left behind.
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: "The image to be read.", completion: .file())
  var source: String
  @Option(
    name: [.customShort("o"), .customLong("output")], help: "The image to be written.",
    completion: .file())
  var target: String
  @Option(
    help: "The source's format: \(ConversionInput.readFormats.joined(separator: ", ")).",
    completion: .list(ConversionInput.readFormats), transform: ConversionInput.format)
  var from: DiskFormat
  @Option(
    help: "The format to be written: \(ConversionInput.formats.joined(separator: ", ")).",
    completion: .list(ConversionInput.formats), transform: ConversionInput.format)
  var to: DiskFormat
  @Option(
    help: """
      How a qcow2 image is compressed, zstd by default; zlib with vmdk or ova compresses harder \
      than their default.
      """)
  var compression: ImageArguments.Compression?
  @Option(
    help: "The new disk's size, such as 8Gi; by default the source's, and never less.",
    transform: ConversionInput.bytes)
  var size: Int?
  @Option(help: "How progress is told: auto, plain, json (lines on standard error) or none.")
  var progress: ProgressChoice = .auto

  func validate() throws {
    switch (to, compression) {
    case (_, nil), (.qcow2, _), (.vmdk, .zlib), (.ova, .zlib): break
    case (_, let compression?):
      throw ValidationError(
        "--compression \(compression.rawValue) is not for the format \(to.rawValue)")
    }
  }

  func run() async throws {
    let host = HostContext.live()
    var converter = DiskImageConverter(from: from, to: to, host: host)
    if let compression { converter.compression = compression.value }
    converter.size = size
    let reporter = ProgressReporter(progress, style: global.style(of: .errors), clock: host.uptime)
    defer { reporter.finish() }
    reporter.report(.started, target, "convert")
    let result = try await converter.convert(source, to: target) { progress in
      reporter.report(.progress(progress), target, "convert")
    }
    reporter.report(.finished(notes: []), target, "convert")
    reporter.finish()
    if result.passedOverSnapshots > 0 {
      TextStream.errors.line(
        "note: \(result.passedOverSnapshots) internal snapshots of \(sanitized(source)) were left "
          + "behind")
    }
    TextStream.output.line(
      "\(sanitized(target)): \(to.rawValue), a disk of \(sizeText(Int64(result.virtualSize))) in "
        + "\(sizeText(Int64(result.fileSize))), sha256 \(result.digest)")
  }
}

extension ConversionInput {
  /// The names of the formats that can be read.
  static let readFormats = DiskFormat.allCases.filter { $0 != .ova }.map(\.rawValue)
}
