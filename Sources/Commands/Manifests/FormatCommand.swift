internal import ArgumentParser
internal import Diagnostics
internal import Manifests
internal import SystemIO
internal import YAML

struct FormatCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fmt", abstract: "Lay manifests out in one way; what they mean stays the same.",
    discussion: """
      Files are rewritten in place and the names of changed ones are printed; standard input is \
      printed. Comments stay with what follows them. A file that can't be read is left alone.
      """)

  @OptionGroup var global: GlobalOptions
  @Option(
    name: [.customShort("f"), .customLong("file")],
    help: ArgumentHelp(
      "A manifest, a directory of manifests or - for standard input; may be repeated.",
      valueName: "path"),
    completion: .file(extensions: ["yaml", "yml"]))
  var files: [String] = []
  @Flag(name: [.customShort("R"), .long], help: "Format the directories below a directory too.")
  var recursive = false
  @Flag(help: "Change nothing; print the names of files that would change and exit with 1.")
  var check = false
  @Flag(help: "Change nothing; show what would change.")
  var diff = false

  func validate() throws {
    if files.isEmpty {
      throw ValidationError("nothing to format: pass -f FILE, -f DIRECTORY or -f -")
    }
  }

  func run() async throws {
    let environment = Environment.current()
    var (sources, problems) = ManifestFiles.read(
      files, workingDirectory: environment.workingDirectory, isRecursive: recursive
    ) { () throws(SystemError) in
      try standardInput().readAll(limit: ManifestFiles.sizeLimit)
    }
    var changed = false
    for source in sources where !source.file.hasSuffix(".json") {
      SourceLines.shared.keep(source.bytes, of: source.file)
      do throws(Diagnostics) {
        let bytes = try formatYAML(
          source.bytes, file: source.file, keyOrder: ["apiVersion", "kind", "metadata", "spec"])
        let differs = bytes != source.bytes
        changed = changed || differs
        if let problem = show(source, bytes, differs: differs) { problems.append(problem) }
      } catch {
        problems += error.all
      }
    }
    if !problems.isEmpty { throw Diagnostics(problems) }
    if check, changed { throw QuietExit(status: .failed) }
  }

  /// Prints or writes a result; answers why a file could not be written.
  private func show(_ source: ManifestSource, _ bytes: [UInt8], differs: Bool) -> Diagnostic? {
    if diff {
      let view = DiffView(style: global.style(of: .output))
      let lines = view.lines(
        Self.lines(source.bytes), Self.lines(bytes), from: source.file,
        to: "\(source.file) formatted")
      for line in lines { TextStream.output.line(line) }
      return nil
    }
    if check {
      if differs { TextStream.output.line(source.file) }
      return nil
    }
    if source.file == "<stdin>" {
      TextStream.output.write(String(decoding: bytes, as: UTF8.self))
      return nil
    }
    guard differs else { return nil }
    do throws(SystemError) {
      try rewriteFile(source.file, with: bytes)
      TextStream.output.line(source.file)
      return nil
    } catch {
      return Diagnostic("unwritable-file", error.description, help: "the file is as it was")
    }
  }

  private static func lines(_ bytes: [UInt8]) -> [String] {
    var lines = String(decoding: bytes, as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines.last?.isEmpty == true { lines.removeLast() }
    return lines
  }
}
