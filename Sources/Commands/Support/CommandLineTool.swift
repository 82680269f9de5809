internal import ArgumentParser
internal import Diagnostics
internal import Glibc
internal import JSON

/// The `ingot` executable but for its `main`.
public enum CommandLineTool {
  /// Parses the process's arguments, runs the command and ends the process with its exit code.
  public static func main() async -> Never {
    // Nothing ingot writes is ever writable for others, whatever the caller's mask allows.
    umask(umask(0o077) | 0o022)
    let arguments = Array(CommandLine.arguments.dropFirst())
    let work = Task { await run(arguments) }
    Interrupts.shared.install { work.cancel() }
    let status = await work.value
    exit(status.rawValue)
  }

  /// Runs one command line.
  static func run(_ arguments: [String]) async -> ExitStatus {
    do {
      var command = try Ingot.parseAsRoot(arguments)
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
      return .done
    } catch {
      return report(error, arguments)
    }
  }

  private static func report(_ error: any Error, _ arguments: [String]) -> ExitStatus {
    if let quiet = error as? QuietExit { return quiet.status }
    let options = OutputOptions.scanned(arguments)
    if let diagnostics = error as? Diagnostics {
      return report(diagnostics.all, options)
    }
    if let diagnostic = error as? Diagnostic { return report([diagnostic], options) }
    let code = Ingot.exitCode(for: error)
    if code == .success || code == .validationFailure || error is ExitCode {
      let stream = code == .success ? TextStream.output : TextStream.errors
      let message = Ingot.fullMessage(for: error)
      if !message.isEmpty { stream.line(message) }
      return ExitStatus(rawValue: code.rawValue) ?? .failed
    }
    let report = ErrorReport(error)
    if options.isJSON { TextStream.output.line(report.json.text(pretty: true)) }
    TextStream.errors.line(report.text(options.style))
    return report.status
  }

  private static func report(_ all: [Diagnostic], _ options: OutputOptions) -> ExitStatus {
    if options.isJSON {
      TextStream.output.line(DiagnosticsView.json(all).text(pretty: true))
    } else {
      let view = DiagnosticsView(style: options.style, line: SourceLines.shared.line)
      TextStream.errors.write(view.text(all))
    }
    return .failed
  }
}
