public import Diagnostics

/// What a YAML text holds: its documents and what is wrong with it.
public struct YAMLStream: Sendable {
  /// The root nodes of the documents up to the first error of syntax; empty documents are left out.
  public var documents: [YAMLNode]
  /// What is wrong, in the order of the text.
  public var diagnostics: [Diagnostic]
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

/// Parses a YAML text in UTF-8 with libyaml.
///
/// Anchors, aliases and merge keys are resolved; several documents are one stream. libyaml stops at
/// the first error of syntax, and so does this; duplicate keys are reported and parsing goes on.
///
/// - Parameter file: the name for diagnostics.
public func parseYAML(
  _ bytes: [UInt8], file: String, limits: YAMLLimits = YAMLLimits()
) -> YAMLStream {
  guard bytes.count <= limits.bytes else {
    let problem = Diagnostic(
      "yaml-limit", "the text has \(bytes.count) bytes; at most \(limits.bytes) are read",
      at: SourceSpan(file: file, line: 1, column: 1), help: "split it into several files")
    return YAMLStream(documents: [], diagnostics: [problem])
  }
  return bytes.withUnsafeBufferPointer { buffer in
    var composer = Composer(
      events: EventReader(buffer), bytes: buffer, file: file, limits: limits)
    return composer.stream()
  }
}
