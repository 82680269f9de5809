internal import Diagnostics
internal import Manifests
internal import Resources
internal import SystemIO

/// Reads the manifests that `-f` names.
enum ManifestInput {
  /// Reads and decodes; what is wrong is in the result, with the files' own diagnostics first.
  static func read(
    _ manifests: ManifestPaths, environment: Environment, known: Set<ResourceID> = []
  ) -> LoadedManifests {
    var added = Reader(environment)
    let overlays = added.read(manifests.overlays, isRecursive: manifests.isRecursive)
    let variables = VariableValues(
      options: manifests.variables, files: added.read(manifests.variableFiles),
      environment: environment.variables)
    // Without what a file would have added, complaints about the manifests tell nothing.
    if !added.unreadable.isEmpty { return LoadedManifests(failed: added.unreadable) }
    var base = Reader(environment)
    let sources = base.read(manifests.paths, isRecursive: manifests.isRecursive)
    var loaded = ManifestLoader.load(
      sources, overlays: overlays, variables: variables, known: known)
    loaded.diagnostics = base.unreadable + loaded.diagnostics
    return loaded
  }

  /// Reads the files that options name.
  private struct Reader {
    let environment: Environment
    var unreadable: [Diagnostic] = []

    init(_ environment: Environment) { self.environment = environment }

    mutating func read(_ paths: [String], isRecursive: Bool = false) -> [ManifestSource] {
      let (sources, diagnostics) = ManifestFiles.read(
        paths, workingDirectory: environment.workingDirectory, isRecursive: isRecursive
      ) { () throws(SystemError) in
        try standardInput().readAll(limit: ManifestFiles.sizeLimit)
      }
      for source in sources { SourceLines.shared.keep(source.bytes, of: source.file) }
      unreadable += diagnostics
      return sources
    }
  }

  /// Reads manifests that are to be acted on; warnings go to standard error.
  ///
  /// - Throws: `Diagnostics` with all that is wrong.
  static func load(
    _ manifests: ManifestPaths, environment: Environment, known: Set<ResourceID>, style: Style
  ) throws -> LoadedManifests {
    let loaded = read(manifests, environment: environment, known: known)
    if loaded.hasErrors { throw Diagnostics(loaded.diagnostics) }
    if !loaded.diagnostics.isEmpty {
      let view = DiagnosticsView(style: style, line: SourceLines.shared.line)
      TextStream.errors.write(view.text(loaded.diagnostics))
    }
    return loaded
  }
}
