internal import ArgumentParser
internal import Glibc
internal import Manifests
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

/// Where manifests are read from, and what is put into them.
struct ManifestPaths {
  /// Files, directories and `-`.
  var paths: [String]
  /// Whether directories below the named ones are read too.
  var isRecursive: Bool
  /// Files and directories of overlays, in the order in which they are laid over.
  var overlays: [String] = []
  /// Values of variables on the command line.
  var variables: [VariableValues.Assignment] = []
  /// Files with values of variables.
  var variableFiles: [String] = []
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
  @Option(
    name: .customLong("overlay"),
    help: ArgumentHelp(
      "A manifest or a directory of manifests that change those of -f; may be repeated, in order.",
      valueName: "path"),
    completion: .file(extensions: ["yaml", "yml", "json"]))
  var overlays: [String] = []
  @Option(
    name: .customLong("var"),
    help: ArgumentHelp(
      "A value for a declared variable; may be repeated. Goes before --var-file, INGOT_VAR_NAME"
        + " and the default.", valueName: "name=value"))
  var variables: [VariableArgument] = []
  @Option(
    name: .customLong("var-file"),
    help: ArgumentHelp(
      "A file of values by name, in YAML or JSON; may be repeated.", valueName: "file"),
    completion: .file(extensions: ["yaml", "yml", "json"]))
  var variableFiles: [String] = []

  func validate() throws {
    if files.isEmpty, !(overlays.isEmpty && variables.isEmpty && variableFiles.isEmpty) {
      throw ValidationError("--overlay, --var and --var-file are for manifests: pass -f too")
    }
  }

  /// The paths, of which there is one at least.
  func required() throws -> ManifestPaths {
    guard !files.isEmpty else {
      throw ValidationError("no manifests: pass -f FILE, -f DIRECTORY or -f -")
    }
    return ManifestPaths(
      paths: files, isRecursive: recursive, overlays: overlays,
      variables: variables.map(\.assignment),
      variableFiles: variableFiles)
  }
}

/// `name=value`.
struct VariableArgument: ExpressibleByArgument {
  /// The name and the value.
  var assignment: VariableValues.Assignment

  init?(argument: String) {
    guard let equals = argument.firstIndex(of: "="), equals != argument.startIndex else {
      return nil
    }
    assignment = VariableValues.Assignment(
      name: String(argument[..<equals]), value: String(argument[argument.index(after: equals)...]))
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
