internal import ArgumentParser
internal import Diagnostics

/// What ArgumentParser has to say: help that was asked for, or a command line that is wrong.
struct UsageReport {
  private var text: String
  private var code: ExitCode

  /// Reads an error of ArgumentParser; nil for any other.
  ///
  /// - Parameter arguments: the command line, for a verb that there isn't.
  init?(_ error: any Error, _ arguments: [String] = []) {
    code = Ingot.exitCode(for: error)
    guard code == .success || code == .validationFailure || error is ExitCode else { return nil }
    text = Ingot.fullMessage(for: error)
    if code == .validationFailure, let word = arguments.first, !word.hasPrefix("-"),
      !Self.verbs.contains(word)
    {
      let near = nearest(to: word, among: Self.verbs).map { "did you mean 'ingot \($0)'?" }
      text =
        "Error: there is no command '\(word)'\nhelp: "
        + (near ?? "`ingot help` lists the commands")
    } else if error is ValidationError {
      // Thrown by a command that parsed; the usage of the root would be no help.
      text = "Error: \(Ingot.message(for: error))\nhelp: `ingot help` lists the commands"
    }
  }

  private static let verbs: [String] =
    ["help"]
    + Ingot.configuration.groupedSubcommands.flatMap { group in
      group.subcommands.compactMap { command in command.configuration.commandName }
    }

  /// Prints it and gives the exit code.
  func tell(_ style: Style) -> ExitStatus {
    let prefix = "Error:"
    if code == .success {
      TextStream.output.line(text)
    } else if text.hasPrefix(prefix) {
      TextStream.errors.line(style.paint("error:", .bad) + text.dropFirst(prefix.count))
    } else if !text.isEmpty {
      TextStream.errors.line(text)
    }
    return ExitStatus(rawValue: code.rawValue) ?? .failed
  }
}
