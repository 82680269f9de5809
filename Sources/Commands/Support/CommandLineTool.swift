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
      return tell(error, OutputOptions.scanned(arguments))
    }
  }

  /// Whether a command line is understood, without running it: `done`, or `usage` where it is not.
  static func check(_ arguments: [String]) -> ExitStatus {
    do {
      _ = try Ingot.parseAsRoot(arguments)
      return .done
    } catch {
      return ExitStatus(rawValue: Ingot.exitCode(for: error).rawValue) ?? .failed
    }
  }

  /// Says what went wrong and gives the exit code for it.
  static func tell(_ error: any Error, _ options: OutputOptions) -> ExitStatus {
    if let quiet = error as? QuietExit { return quiet.status }
    if let diagnostics = error as? Diagnostics { return tell(diagnostics.all, options) }
    if let diagnostic = error as? Diagnostic { return tell([diagnostic], options) }
    if let usage = UsageReport(error, options.arguments) { return usage.tell(options.style) }
    let report = ErrorReport(error)
    if options.isJSON { TextStream.output.line(report.json.text(pretty: true)) }
    TextStream.errors.line(report.text(options.style))
    return report.status
  }

  private static func tell(_ all: [Diagnostic], _ options: OutputOptions) -> ExitStatus {
    if options.isJSON {
      TextStream.output.line(DiagnosticsView.json(all).text(pretty: true))
    } else {
      let view = DiagnosticsView(style: options.style, line: SourceLines.shared.line)
      TextStream.errors.write(view.text(all))
    }
    return .failed
  }
}
