internal import ArgumentParser
internal import Glibc
internal import Resources

/// When text is painted.
enum ColorChoice: String, ExpressibleByArgument, CaseIterable {
  case auto, always, never
}

/// How data is printed.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  case table, wide, json, yaml, name
}

/// How an outcome is printed.
enum ReportFormat: String, ExpressibleByArgument, CaseIterable {
  case table, json
}

/// How a long command tells how far it is.
enum ProgressChoice: String, ExpressibleByArgument, CaseIterable {
  case auto, plain, json, none
}

/// Options of every command.
struct GlobalOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Where ingot keeps its state; INGOT_HOME, else the XDG state directory, by default.",
      valueName: "directory"),
    completion: .directory)
  var home: String?

  @Option(help: "When to colour text; NO_COLOR and CLICOLOR_FORCE are honoured.")
  var color: ColorChoice = .auto

  /// How text is painted on a stream.
  func style(of stream: TextStream) -> Style {
    Style.chosen(color, .current(), isTerminal: stream.isTerminal)
  }
}

/// Where manifests are read from.
struct ManifestPaths {
  /// Files, directories and `-`.
  var paths: [String]
  /// Whether directories below the named ones are read too.
  var isRecursive: Bool
}

/// The manifests a command reads.
struct FileOptions: ParsableArguments {
  @Option(
    name: [.customShort("f"), .customLong("file")],
    help: ArgumentHelp(
      "A manifest, a directory of manifests or - for standard input; may be repeated.",
      valueName: "path"),
    completion: .file(extensions: ["yaml", "yml", "json"]))
  var files: [String] = []
  @Flag(name: [.customShort("R"), .long], help: "Read the directories below a directory too.")
  var recursive = false

  /// The paths, of which there is one at least.
  func required() throws -> ManifestPaths {
    guard !files.isEmpty else {
      throw ValidationError("no manifests: pass -f FILE, -f DIRECTORY or -f -")
    }
    return ManifestPaths(paths: files, isRecursive: recursive)
  }
}

/// What of the options must be known even where the command line does not parse.
struct OutputOptions {
  /// Whether `-o json` asks for diagnostics as JSON.
  var isJSON: Bool
  /// How standard error is painted.
  var style: Style
  /// The raw arguments.
  var arguments: [String] = []

  /// Reads them off raw arguments.
  static func scanned(_ arguments: [String]) -> OutputOptions {
    func value(_ names: [String]) -> String? {
      for (index, word) in arguments.enumerated() {
        if word == "--" { return nil }
        if names.contains(word) { return arguments.dropFirst(index + 1).first }
        for name in names where word.hasPrefix(name + "=") {
          return String(word.dropFirst(name.count + 1))
        }
      }
      return nil
    }
    let choice = value(["--color"]).flatMap { ColorChoice(rawValue: $0) } ?? .auto
    return OutputOptions(
      isJSON: value(["-o", "--output"]) == "json",
      style: Style.chosen(choice, .current(), isTerminal: TextStream.errors.isTerminal),
      arguments: arguments)
  }
}

extension Style {
  /// The style for a stream: what the option says, else what the environment says, else by whether
  /// a person watches.
  static func chosen(_ choice: ColorChoice, _ environment: Environment, isTerminal: Bool) -> Style {
    switch choice {
    case .always: return Style(isColored: true)
    case .never: return .plain
    case .auto:
      if environment.noColor { return .plain }
      if environment.forceColor { return Style(isColored: true) }
      return Style(isColored: isTerminal && environment.terminal != "dumb")
    }
  }
}
