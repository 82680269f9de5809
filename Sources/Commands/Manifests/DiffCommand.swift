internal import ArgumentParser
internal import EngineInterface
internal import JSON
internal import Manifests
internal import Planning
internal import Resources

struct DiffCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Show how manifests differ from what the engine holds, as a unified diff.",
    discussion: "Exit codes as of kubectl: 0 no difference, 1 differences, above 1 an error.")

  @OptionGroup var global: GlobalOptions
  @OptionGroup var input: FileOptions
  @OptionGroup var scope: ScopeOptions

  func run() async throws {
    let hasDifferences: Bool
    do {
      hasDifferences = try await show()
    } catch let error as ValidationError {
      throw error
    } catch {
      // 1 means differences here, so that a failure needs another number.
      _ = CommandLineTool.tell(
        error, OutputOptions(isJSON: false, style: global.style(of: .errors)))
      throw QuietExit(status: .changes)
    }
    if hasDifferences { throw QuietExit(status: .failed) }
  }

  private func show() async throws -> Bool {
    let files = try input.required()
    let session = try EngineSession.open(global)
    let observed = try await session.engine.observe()
    let loaded = try ManifestInput.load(
      files, environment: session.environment,
      known: Set(observed.resources.map(\.resource.id)), style: global.style(of: .errors))
    let view = DiffView(style: global.style(of: .output))
    var hasDifferences = false
    let scope = try scope.scope(among: loaded.resources.map(\.id))
    for resource in scope.chosen(loaded.resources).sorted(by: { $0.id < $1.id }) {
      let stored = observed.resources.first { $0.resource.id == resource.id }?.resource
      let lines = view.lines(
        stored.map { Self.lines($0) } ?? [], Self.lines(resource),
        from: "engine/\(resource.id)", to: "manifest/\(resource.id)")
      hasDifferences = hasDifferences || !lines.isEmpty
      for line in lines { TextStream.output.line(line) }
      let drift = Self.drift(observed, resource.id, view)
      hasDifferences = hasDifferences || !drift.isEmpty
      for line in drift { TextStream.output.line(line) }
    }
    return hasDifferences
  }

  /// What was changed outside ingot: what was applied last beside what is there.
  private static func drift(
    _ observed: ObservedState, _ id: ResourceID, _ view: DiffView
  ) -> [String] {
    let drift = observed.resources.first { $0.resource.id == id }?.drift ?? []
    let schema = Schema.table(for: id.kind)
    func lines(_ value: (Drift) -> JSONValue?) -> [String] {
      drift.compactMap { drift in
        value(drift).map { "\(drift.path): \(sanitized(schema.text(of: $0, at: drift.path)))" }
      }
    }
    return view.lines(
      lines(\.applied), lines(\.actual), from: "engine/\(id)", to: "outside ingot/\(id)")
  }

  private static func lines(_ resource: Resource) -> [String] {
    resource.manifestText.split(separator: "\n").map(String.init)
  }
}
