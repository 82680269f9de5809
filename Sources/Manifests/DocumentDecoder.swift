internal import Diagnostics
internal import JSON
internal import Resources
internal import YAML

/// Decodes one document into a resource, gathering all that is wrong with it.
struct DocumentDecoder {
  typealias Position = WrittenFields.Position

  /// A name that must be declared somewhere.
  struct Reference {
    var target: ResourceID
    /// Where it stands, among the fields written.
    var position: Position
  }

  let sources: NodeSources
  var diagnostics: [Diagnostic] = []
  var references: [Reference] = []
  /// The address, as soon as it is known, even where the rest is wrong.
  var id: ResourceID?
  /// Where the name stands.
  var nameSpan: SourceSpan?
  /// The fields that were met.
  var written: WrittenFields
  /// The specification, where it can be read.
  private(set) var specification: Specification?

  init(sources: NodeSources) {
    self.sources = sources
    written = WrittenFields(files: sources.files)
  }

  /// The resource; nil where a field can't be read.
  ///
  /// What is wrong among fields that can be read
  /// is only recorded, so that the checks over all documents see the resource.
  mutating func decode(_ document: YAMLNode) -> Resource? {
    let start = span(document)
    guard case .mapping(let pairs) = document.content else {
      fail(
        "wrong-type", "a document is a group of fields, and this is \(document.noun)", at: start,
        help: "begin with 'apiVersion: \(ManifestLoader.apiVersion)' and 'kind: ...'")
      return nil
    }
    checkNames(pairs, among: Self.names, in: "")
    checkVersion(pairs, start)
    guard let kind = kind(pairs, start) else { return nil }
    // Hardly more than a field a line; growing the table step by step costs more than the fields.
    written.reserveCapacity(Int(document.end.line - document.start.line) + 8)
    let metadata = metadata(pairs, document, kind)
    let value = JSONValue.object(root("spec", pairs, Schema.table(for: kind).fields, document))
    guard let id, diagnostics.isEmpty else { return nil }
    let (specification, problems) = Specification.checked(kind, value)
    self.specification = specification
    diagnostics += problems.map { place($0, start) }
    return Resource(
      id, spec: value, labels: labels(metadata["labels"]),
      annotations: labels(metadata["annotations"]), written: written, source: start)
  }

  /// The fields that a document has.
  static let names = ["apiVersion", "kind", "metadata", "spec"]

  /// One of a document's two groups of fields.
  private mutating func root(
    _ name: String, _ pairs: [YAMLPair], _ fields: [Field], _ document: YAMLNode
  ) -> JSONObject {
    let pair = pairs[name].flatMap { $0.value.isNull ? nil : $0 }
    let mark = pair.map { WrittenFields.Mark(key: $0) } ?? WrittenFields.Mark(document)
    return group(pair?.value, fields, at: written.addRoot(name, at: mark))
  }

  mutating func checkVersion(_ pairs: [YAMLPair], _ start: SourceSpan) {
    let wanted = ManifestLoader.apiVersion
    let help = "write 'apiVersion: \(wanted)'"
    guard let pair = pairs["apiVersion"] else {
      return fail(
        "missing-field", "the field is missing", path: "apiVersion", at: start, help: help)
    }
    guard case .scalar(let text, _) = pair.value.content, text == wanted else {
      return fail(
        "unknown-api-version", "\(pair.value.quoted) is unknown", path: "apiVersion",
        at: span(pair.value), help: help)
    }
  }

  private mutating func kind(_ pairs: [YAMLPair], _ start: SourceSpan) -> Kind? {
    var known: [String] {
      Kind.allCases.map(\.rawValue) + [VariableDeclaration.kind, PatchDocument.kind]
    }
    var list: String { "the kinds are \(known.joined(separator: ", "))" }
    guard let pair = pairs["kind"] else {
      fail("missing-field", "the field is missing", path: "kind", at: start, help: list)
      return nil
    }
    if let kind = pair.value.text.flatMap(Kind.init(rawValue:)) { return kind }
    if pair.value.text == PatchDocument.kind {
      fail(
        "misplaced-patch", "a patch is no resource", path: "kind", at: span(pair.value),
        help: "put it into a file of its own and pass that with --overlay")
      return nil
    }
    let near = pair.value.text.flatMap { text in
      Kind(word: text)?.rawValue ?? nearest(to: text, among: known)
    }
    fail(
      "unknown-kind", "\(pair.value.quoted) is no kind", path: "kind", at: span(pair.value),
      help: near.map { "did you mean '\($0)'?" } ?? list)
    return nil
  }

  private mutating func metadata(_ pairs: [YAMLPair], _ document: YAMLNode, _ kind: Kind)
    -> JSONObject
  {
    if let name = pairs["metadata"]?.value["name"], let text = name.text {
      nameSpan = span(name)
      id = ResourceID(kind, text)
    }
    return root("metadata", pairs, Schema.metadata, document)
  }

  private func labels(_ value: JSONValue?) -> [Resource.Label] {
    (value?.object?.members ?? []).map {
      Resource.Label(name: $0.name, value: $0.value.string ?? "")
    }
  }

  /// Gives a diagnostic of the field table the place of its field, or of what is around it.
  private func place(_ diagnostic: Diagnostic, _ start: SourceSpan) -> Diagnostic {
    var diagnostic = diagnostic
    var path = diagnostic.path[...]
    while diagnostic.span == nil {
      diagnostic.span = written.span(at: String(path))
      guard let cut = path.lastIndex(where: { $0 == "." || $0 == "[" }) else { break }
      path = path[..<cut]
    }
    diagnostic.span = diagnostic.span ?? start
    return diagnostic
  }
}

extension DocumentDecoder {
  /// Records an error.
  mutating func fail(
    _ code: DiagnosticCode, _ message: String, path: String = "", at span: SourceSpan,
    help: String? = nil
  ) {
    diagnostics.append(Diagnostic(code, message, path: path, at: span, help: help))
  }

  /// Records an error in a field, at its place unless another is given.
  mutating func fail(
    _ code: DiagnosticCode, _ message: String, in field: Position, at span: SourceSpan? = nil,
    help: String? = nil
  ) {
    diagnostics.append(
      Diagnostic(
        code, message, path: written.path(field), at: span ?? written.span(field), help: help))
  }

  /// The stretch a node is marked by.
  func span(_ node: YAMLNode) -> SourceSpan { sources.span(node) }

  /// The stretch of a pair's key.
  func span(key pair: YAMLPair) -> SourceSpan { sources.span(key: pair) }

  /// Reports names that are not known.
  mutating func checkNames(_ pairs: [YAMLPair], among known: [String], in path: String) {
    for index in pairs.indices where !known.contains(pairs[index].key) {
      let pair = pairs[index]
      let near = nearest(to: pair.key, among: known)
      let list =
        known.isEmpty ? "the group has no fields" : "known are \(known.joined(separator: ", "))"
      fail(
        "unknown-field", "the field is unknown",
        path: path.isEmpty ? pair.key : "\(path).\(pair.key)",
        at: span(key: pair), help: near.map { "did you mean '\($0)'?" } ?? list)
    }
  }
}

extension YAMLNode {
  /// Whether nothing is written, or `null`.
  var isNull: Bool {
    guard case .scalar(let text, isPlain: true) = content else { return false }
    return YAMLCoreValue.isNull(plain: text)
  }

  /// The text of a scalar.
  var text: String? { if case .scalar(let text, _) = content { text } else { nil } }

  /// What the node is, for messages.
  var noun: String {
    switch content {
    case .scalar: "a text"
    case .sequence: "a list"
    case .mapping: "a group of fields"
    }
  }

  /// The text in quotation marks, cut where it is long, or what the node is.
  var quoted: String {
    guard let text else { return noun }
    return text.count > 60 ? "'\(text.prefix(57))...'" : "'\(text)'"
  }
}
