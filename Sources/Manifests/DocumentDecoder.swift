internal import Diagnostics
internal import JSON
internal import Resources
internal import YAML

/// Decodes one document into a resource, gathering all that is wrong with it.
struct DocumentDecoder {
  /// A name that must be declared somewhere.
  struct Reference {
    var target: ResourceID
    var path: String
    var span: SourceSpan
  }

  let sources: NodeSources
  var diagnostics: [Diagnostic] = []
  var references: [Reference] = []
  /// The address, as soon as it is known, even where the rest is wrong.
  var id: ResourceID?
  /// Where the name stands.
  var nameSpan: SourceSpan?
  var explicit: Set<String> = []
  var fieldSources: [String: SourceSpan] = [:]

  init(sources: NodeSources) { self.sources = sources }

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
    // About a field a line; growing the tables step by step costs more than the fields.
    let lines = Int(document.end.line - document.start.line)
    explicit.reserveCapacity(lines)
    fieldSources.reserveCapacity(lines)
    checkNames(
      pairs, among: ["apiVersion", "kind", "metadata", "spec"], in: "")
    checkVersion(pairs, start)
    guard let kind = kind(pairs, start) else { return nil }
    let metadata = metadata(pairs, start, kind)
    let schema = Schema.table(for: kind)
    let spec = pairs.first { $0.key == "spec" && !$0.value.isNull }
    let object = group(
      spec?.value, schema.fields, path: "spec", at: spec.map { self.span(key: $0) } ?? start)
    let value = JSONValue.object(object)
    guard let id, diagnostics.isEmpty else { return nil }
    diagnostics += schema.problems(in: value).map { place($0, start) }
    return Resource(
      id, spec: value, labels: labels(metadata["labels"]),
      annotations: labels(metadata["annotations"]), explicit: explicit, source: start,
      fieldSources: fieldSources)
  }

  mutating func checkVersion(_ pairs: [YAMLPair], _ start: SourceSpan) {
    let wanted = ManifestLoader.apiVersion
    let help = "write 'apiVersion: \(wanted)'"
    guard let pair = pairs.first(where: { $0.key == "apiVersion" }) else {
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
    let known = Kind.allCases.map(\.rawValue) + [VariableDeclaration.kind, PatchDocument.kind]
    let list = "the kinds are \(known.joined(separator: ", "))"
    guard let pair = pairs.first(where: { $0.key == "kind" }) else {
      fail("missing-field", "the field is missing", path: "kind", at: start, help: list)
      return nil
    }
    if pair.value.text == PatchDocument.kind {
      fail(
        "misplaced-patch", "a patch is no resource", path: "kind", at: span(pair.value),
        help: "put it into a file of its own and pass that with --overlay")
      return nil
    }
    guard case .scalar(let text, _) = pair.value.content, let kind = Kind(rawValue: text) else {
      let near = pair.value.text.flatMap { text in
        Kind(word: text)?.rawValue ?? nearest(to: text, among: known)
      }
      fail(
        "unknown-kind", "\(pair.value.quoted) is no kind", path: "kind", at: span(pair.value),
        help: near.map { "did you mean '\($0)'?" } ?? list)
      return nil
    }
    return kind
  }

  private mutating func metadata(_ pairs: [YAMLPair], _ start: SourceSpan, _ kind: Kind)
    -> JSONObject
  {
    let pair = pairs.first { $0.key == "metadata" && !$0.value.isNull }
    if case .mapping(let members) = pair?.value.content,
      let name = members.first(where: { $0.key == "name" }), let text = name.value.text
    {
      nameSpan = span(name.value)
      id = ResourceID(kind, text)
    }
    return group(
      pair?.value, Schema.metadata, path: "metadata",
      at: pair.map { self.span(key: $0) } ?? start)
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
      diagnostic.span = fieldSources[String(path)]
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

  /// The stretch a node is marked by.
  func span(_ node: YAMLNode) -> SourceSpan { sources.span(node) }

  /// The stretch of a pair's key.
  func span(key pair: YAMLPair) -> SourceSpan { sources.span(key: pair) }

  /// Reports names that are not known.
  mutating func checkNames(_ pairs: [YAMLPair], among known: [String], in path: String) {
    for pair in pairs where !known.contains(pair.key) {
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
    guard case .scalar(let text, isPlain: true) = content, text.utf8.count <= 4 else {
      return false
    }
    return YAMLCoreValue(plain: text) == .null
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
