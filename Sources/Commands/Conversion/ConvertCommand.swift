internal import ArgumentParser
internal import Conversion
internal import EngineInterface
internal import JSON
internal import Resources
internal import SystemIO

struct ConvertCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Pack a machine's file tree into a disk image that boots.",
    discussion: """
      SOURCE is a directory, a tar archive compressed in any way, or - for one on standard input. \
      Nothing is mounted and nothing needs root. Exit code 6 where something of the source could \
      not be kept; the report names it.
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: "A directory, a tar archive or -.", completion: .file())
  var source: String
  @Option(name: .shortAndLong, help: "The image to be written.", completion: .file())
  var output: String
  @OptionGroup(title: "Image") var image: ImageArguments
  @OptionGroup(title: "Source") var reading: SourceArguments
  @Option(help: "Write the whole report as JSON to a file.", completion: .file())
  var report: String?
  @Option(
    help: "Write a list of all that went in, with a SHA-256 a file, as mtree(5) has it.",
    completion: .file())
  var manifest: String?
  @Flag(help: "Read the finished image back and compare it with what was meant to be in it.")
  var verify = false
  @Option(
    name: .customLong("kernel-out"), help: "Write kernel and initramfs into a directory.",
    completion: .directory)
  var kernelDirectory: String?
  @Option(help: "How progress is told: auto, plain, json (lines on standard error) or none.")
  var progress: ProgressChoice = .auto

  func run() async throws {
    let host = HostContext.live()
    let input = try ConversionInput.source(source)
    let converter = Converter(options(), host: host)
    let reporter = ProgressReporter(
      progress, style: global.style(of: .errors), clock: host.uptime)
    defer { reporter.finish() }
    reporter.report(.started, output, "convert")
    let result = try await converter.convert(input, to: output) { progress in
      reporter.report(.progress(progress), output, "convert")
    }
    try writeExtras(result)
    reporter.report(.finished(notes: []), output, "convert")
    reporter.finish()
    TextStream.output.write(sanitizedLines(result.report.text))
    if result.report.exitCode != 0 {
      throw QuietExit(status: ExitStatus(rawValue: result.report.exitCode) ?? .dropped)
    }
  }

  private func options() -> ConversionOptions {
    let environment = Environment.current()
    var options = ConversionOptions()
    options.sourceDateEpoch = environment.sourceDateEpoch
    options.environment = environment.forTools
    image.apply(to: &options)
    reading.apply(to: &options)
    options.verifies = verify
    options.manifest = manifest
    return options
  }

  private func writeExtras(_ result: Conversion) throws {
    if let report {
      let text = result.report.json.text(pretty: true) + "\n"
      try replaceFile(report, with: Array(text.utf8), permissions: 0o644)
    }
    guard let kernelDirectory else { return }
    guard let boot = result.bootFiles else {
      throw Failure(
        "\(output) was written, but the tree has no kernel for --kernel-out",
        help: "install a kernel package in the source")
    }
    try makeDirectories(kernelDirectory)
    try replaceFile("\(kernelDirectory)/vmlinuz", with: boot.kernel, permissions: 0o644)
    if let bytes = boot.initialRAMDisk {
      try replaceFile("\(kernelDirectory)/initrd", with: bytes, permissions: 0o644)
    }
  }
}

/// What the words of the command line mean to the converter.
enum ConversionInput {
  /// The source a word names.
  ///
  /// - Throws: `Failure` for sources that are not there or not supported.
  static func source(_ word: String) throws -> ConversionSource {
    if word == "-" { return .archive(path: word) }
    if let scheme = word.firstRange(of: "://") {
      throw Failure(
        "the source '\(word)' can't be read: \(word[..<scheme.lowerBound]) is not supported in "
          + "this release",
        help: "pipe a tar of the machine in: ssh root@HOST tar -C / --one-file-system -c . | "
          + "ingot convert - -o FILE")
    }
    let isDirectory: Bool
    do {
      isDirectory = try Descriptor.open(word, [.read, .nonBlocking]).status().isDirectory
    } catch {
      throw Failure(
        error.description,
        help: error.isDenied ? "run as a user who may read it" : "check the path of the source")
    }
    return isDirectory ? .directory(path: word) : .archive(path: word)
  }
}

/// Text of several lines, each safe to print: names in it come from the source.
func sanitizedLines(_ text: String) -> String {
  text.split(separator: "\n", omittingEmptySubsequences: false)
    .map { sanitized(String($0)) }.joined(separator: "\n")
}
