internal import ArgumentParser
internal import EngineInterface
internal import JSON
internal import Manifests
internal import Resources
internal import SystemIO

struct ValidateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "validate", abstract: "Check manifests; nothing is changed.",
    discussion: """
      Everything that is wrong is reported at once, each with its place and the remedy. Manifests \
      may refer to what the engine holds already, but for --offline.
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var input: FileOptions
  @Option(name: .shortAndLong, help: "How it is printed.")
  var output: ReportFormat = .table

  @Flag(help: "Look at the manifests alone, not at what the engine holds.")
  var offline = false

  func run() async throws {
    let environment = Environment.current()
    let files = try input.required()
    let loaded = ManifestInput.read(
      files, environment: environment, known: try await known(environment))
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

  /// What the engine holds; nothing where there is no engine yet.
  private func known(_ environment: Environment) async throws -> Set<ResourceID> {
    // Without a directory for its state there is no engine either.
    guard !offline, let home = try? environment.homeDirectory(option: global.home),
      fileExists(home)  // A check must not be what makes the engine's directory.
    else { return [] }
    let observed = try await EngineSession.open(global).engine.observe()
    return Set(observed.resources.map(\.resource.id))
  }
}
