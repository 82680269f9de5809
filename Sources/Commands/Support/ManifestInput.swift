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
    let (sources, unreadable) = ManifestFiles.read(
      manifests.paths, workingDirectory: environment.workingDirectory,
      isRecursive: manifests.isRecursive
    ) { () throws(SystemError) in
      try standardInput().readAll(limit: ManifestFiles.sizeLimit)
    }
    for source in sources { SourceLines.shared.keep(source.bytes, of: source.file) }
    var loaded = ManifestLoader.load(sources, known: known)
    loaded.diagnostics = unreadable + loaded.diagnostics
    return loaded
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
