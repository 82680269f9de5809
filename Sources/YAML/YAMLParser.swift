public import Diagnostics

/// What a YAML text holds: its documents and what is wrong with it.
public struct YAMLStream: Sendable {
  /// The documents up to the first error of syntax; empty ones are left out.
  public var documents: [YAMLDocument]
  /// What is wrong, in the order of the text.
  public var diagnostics: [Diagnostic]
}

/// A document of a YAML text.
public struct YAMLDocument: Sendable {
  /// Its root.
  public var root: YAMLNode
  /// Whether it lacks something that was reported.
  public var isFlawed: Bool
  /// Whether `${` stands anywhere in its texts.
  public var hasReferences: Bool
}

/// How much a YAML text may hold, so that no input can exhaust memory or stack.
public struct YAMLLimits: Sendable {
  /// The text's size in bytes; 64 MiB unless said otherwise.
  public var bytes = 64 << 20
  /// How deep nodes may nest.
  public var depth = 100
  /// How many nodes aliases may stand for, in a whole text.
  public var aliasedNodes = 1_000_000

  /// The usual limits.
  public init() {}
}

/// Parses a YAML 1.1 text with libyaml, in UTF-8 or, with a byte order mark, in UTF-16.
///
/// Anchors, aliases and merge keys are resolved; several documents are one stream. libyaml stops at
/// the first error of syntax, with the code `yaml-syntax`, and so does this.
///
/// What libyaml reads and manifests may not hold is reported with a code of its own, and reading
/// goes on: `duplicate-key`, `yaml-key` for keys that are no texts, `yaml-tag` for tags beyond
/// YAML's core schema, `yaml-alias` for aliases of nothing. At `yaml-limit`, one of `limits`,
/// reading ends.
///
/// - Parameters:
///   - file: the name for diagnostics.
///   - source: the number that all nodes bear, for those who put several texts together.
public func parseYAML(
  _ bytes: [UInt8], file: String, source: Int32 = 0, limits: YAMLLimits = YAMLLimits()
) -> YAMLStream {
  var documents: [YAMLDocument] = []
  let diagnostics = readYAML(bytes, file: file, source: source, limits: limits) {
    documents.append($0)
  }
  return YAMLStream(documents: documents, diagnostics: diagnostics)
}

/// Parses a text as `parseYAML` does and hands on each document as soon as it is read.
///
/// - Returns: what is wrong, in the order of the text.
public func readYAML(
  _ bytes: [UInt8], file: String, source: Int32 = 0, limits: YAMLLimits = YAMLLimits(),
  _ body: (YAMLDocument) -> Void
) -> [Diagnostic] {
  guard bytes.count <= limits.bytes else {
    let problem = Diagnostic(
      "yaml-limit", "the text has \(bytes.count) bytes; ingot reads at most \(limits.bytes)",
      at: SourceSpan(file: file, line: 1, column: 1), help: "split it into several files")
    return [problem]
  }
  return bytes.withUnsafeBufferPointer { buffer in
    var composer = Composer(
      events: EventReader(buffer), bytes: buffer, file: file, source: source, limits: limits)
    composer.read(body)
    return composer.diagnostics
  }
}
