internal import Diagnostics
internal import Manifests
internal import Resources
internal import SystemIO

/// Reads the manifests that `-f` names.
enum ManifestInput {
  /// Reads, decodes and checks; what is wrong is in the result.
  static func read(
    _ manifests: ManifestPaths, environment: Environment, known: Set<ResourceID> = []
  ) -> LoadedManifests {
    decoded(manifests, environment: environment).checked(known: known)
  }

  /// Reads and decodes.
  static func decoded(
    _ manifests: ManifestPaths, environment: Environment
  ) -> DecodedInput {
    var added = Reader(environment)
    let overlays = added.read(manifests.overlays, isRecursive: manifests.isRecursive)
    let variables = VariableValues(
      options: manifests.variables, files: added.read(manifests.variableFiles),
      environment: environment.variables)
    // Without what a file would have added, complaints about the manifests tell nothing.
    if !added.unreadable.isEmpty { return .failed(added.unreadable) }
    var base = Reader(environment)
    let sources = base.read(manifests.paths, isRecursive: manifests.isRecursive)
    return .decoded(
      ReadManifests(sources, overlays: overlays, variables: variables),
      unreadable: base.unreadable)
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
    try decoded(manifests, environment: environment).loaded(known: known, style: style)
  }
}

/// Manifests that were read, but not checked against each other and what there is.
enum DecodedInput: Sendable {
  case decoded(ReadManifests, unreadable: [Diagnostic])
  /// Something that the others need could not be read.
  case failed([Diagnostic])

  /// Checks them; what is wrong is in the result, with the files' own diagnostics first.
  func checked(known: Set<ResourceID>) -> LoadedManifests {
    switch self {
    case .failed(let diagnostics): return LoadedManifests(failed: diagnostics)
    case .decoded(let manifests, let unreadable):
      var loaded = manifests.checked(known: known)
      loaded.diagnostics = unreadable + loaded.diagnostics
      return loaded
    }
  }

  /// Checks what is to be acted on; warnings go to standard error.
  ///
  /// - Throws: `Diagnostics` with all that is wrong.
  func loaded(known: Set<ResourceID>, style: Style) throws -> LoadedManifests {
    let loaded = checked(known: known)
    if loaded.hasErrors { throw Diagnostics(loaded.diagnostics) }
    if !loaded.diagnostics.isEmpty {
      let view = DiagnosticsView(style: style, line: SourceLines.shared.line)
      TextStream.errors.write(view.text(loaded.diagnostics))
    }
    return loaded
  }
}
