internal import ArgumentParser
internal import JSON
internal import Manifests
internal import Resources

struct ValidateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "validate",
    abstract: "Check manifests without touching the engine.",
    discussion: "Everything that is wrong is reported at once, each with its place and the remedy.")

  @OptionGroup var global: GlobalOptions
  @OptionGroup var input: FileOptions
  @Option(name: .shortAndLong, help: "table or json.")
  var output: OutputFormat = .table

  func run() async throws {
    let environment = Environment.current()
    let loaded = ManifestInput.read(try input.required(), environment: environment)
    if output == .json {
      var value = DiagnosticsView.json(loaded.diagnostics)
      value["valid"] = .bool(!loaded.hasErrors)
      value["resources"] = .array(loaded.resources.map { .string($0.id.description) })
      TextStream.output.line(value.text(pretty: true))
    } else {
      if !loaded.diagnostics.isEmpty {
        let style = global.style(of: .errors)
        let view = DiagnosticsView(style: style, line: SourceLines.shared.line)
        TextStream.errors.write(view.text(loaded.diagnostics))
      }
      if !loaded.hasErrors {
        let files = counted(loaded.sources.count, "file")
        TextStream.output.line("\(counted(loaded.resources.count, "resource")) in \(files): valid.")
      }
    }
    if loaded.hasErrors { throw QuietExit(status: .failed) }
  }
}
