public import Diagnostics
public import Resources
internal import YAML

/// A manifest's bytes with what is needed to talk about them.
public struct ManifestSource: Sendable {
  /// The file as the user named it; `<stdin>` for standard input.
  public var file: String
  /// The absolute directory that relative paths in the manifest start at.
  public var directory: String
  /// The text.
  public var bytes: [UInt8]

  /// Names a manifest's bytes.
  public init(file: String, directory: String, bytes: [UInt8]) {
    self.file = file
    self.directory = directory
    self.bytes = bytes
  }
}

/// What manifests declare and what is wrong with them.
public struct LoadedManifests: Sendable {
  /// The resources of documents without errors, in the order read; each address once.
  public var resources: [Resource]
  /// All that is wrong, by file and line.
  public var diagnostics: [Diagnostic]
  /// The manifests, for the lines that diagnostics show.
  public let sources: [ManifestSource]
  /// The lines of the files that diagnostics are about.
  private let lines: [String: YAMLLines]

  init(resources: [Resource], diagnostics: [Diagnostic], sources: [ManifestSource]) {
    self.resources = resources
    self.diagnostics = diagnostics
    self.sources = sources
    let files = Set(diagnostics.compactMap(\.span?.file))
    lines = sources.reduce(into: [:]) { lines, source in
      guard files.contains(source.file) else { return }
      lines[source.file] = YAMLLines(source.bytes)
    }
  }

  /// No resources, for what could not even be read.
  public init(failed diagnostics: [Diagnostic]) {
    self.init(resources: [], diagnostics: diagnostics, sources: [])
  }

  /// Whether anything is an error, so that nothing may be done with the resources.
  public var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }

  /// The line that a span lies in; nil for a file that was not read.
  public func line(_ span: SourceSpan) -> String? {
    if let lines = lines[span.file] { return lines[span.line] }
    return sources.first { $0.file == span.file }.flatMap { YAMLLines($0.bytes)[span.line] }
  }

  /// All diagnostics as text, each with its line, caret and help.
  public func renderedDiagnostics() -> String {
    diagnostics.map { $0.rendered(line: line) }.joined(separator: "\n")
  }
}

/// Turns manifests into checked, normalised resources.
public enum ManifestLoader {
  /// The API version that manifests name.
  public static let apiVersion = "ingot/v1"

  /// The resources that are there without being declared.
  public static let builtIn: [ResourceID] = [
    ResourceID(.storagePool, "default"), ResourceID(.resourcePool, "default"),
    ResourceID(.network, "default"),
  ]

  /// Decodes and checks manifests, over all files together.
  ///
  /// - Parameters:
  ///   - sources: the manifests, in the order read.
  ///   - overlays: manifests that change the others or add to them, in order.
  ///   - variables: values for the variables that the manifests declare.
  ///   - known: what the engine holds already and manifests may refer to; the built-in `default`
  ///     ones need not be named.
  public static func load(
    _ sources: [ManifestSource], overlays: [ManifestSource] = [],
    variables: VariableValues = VariableValues(), known: Set<ResourceID> = []
  ) -> LoadedManifests {
    ReadManifests(sources, overlays: overlays, variables: variables).checked(known: known)
  }
}

/// Manifests whose documents are decoded, but not checked against each other and what there is.
public struct ReadManifests: Sendable {
  private let documents: [DecodedDocument]
  private let diagnostics: [Diagnostic]
  private let sources: [ManifestSource]

  /// Decodes manifests; see `ManifestLoader.load`.
  public init(
    _ sources: [ManifestSource], overlays: [ManifestSource], variables: VariableValues
  ) {
    var reader = DocumentReader(sources, overlays: overlays, variables: variables)
    documents = reader.documents()
    diagnostics = reader.diagnostics
    self.sources = sources + overlays + variables.files
  }

  /// Checks them, over all files together.
  public func checked(known: Set<ResourceID>) -> LoadedManifests {
    var declared = Declarations(
      known: known.union(ManifestLoader.builtIn), count: documents.count)
    declared.diagnostics = diagnostics
    for document in documents { declared.add(document) }
    declared.check()
    return LoadedManifests(
      resources: declared.resources, diagnostics: Self.sorted(declared.diagnostics),
      sources: sources)
  }

  /// By file and line; what has no place stands first, equals keep their order.
  private static func sorted(_ diagnostics: [Diagnostic]) -> [Diagnostic] {
    diagnostics.enumerated().sorted { a, b in
      switch (a.element.span, b.element.span) {
      case (nil, nil): a.offset < b.offset
      case (nil, _): true
      case (_, nil): false
      case (let x?, let y?): x == y ? a.offset < b.offset : x < y
      }
    }.map(\.element)
  }
}
