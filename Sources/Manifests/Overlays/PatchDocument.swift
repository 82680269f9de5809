internal import Diagnostics
internal import JSON
internal import Resources
internal import YAML

/// A document of kind `Patch`: operations of JSON Patch (RFC 6902) on one resource.
struct PatchDocument {
  /// The kind of these documents.
  static let kind = "Patch"

  /// An operation.
  struct Operation {
    enum Verb: String, CaseIterable { case add, remove, replace, move, copy, test }
    var verb: Verb
    /// The reference tokens of `path`.
    var path: [String]
    /// Where `path` is written.
    var pathNode: YAMLNode
    /// The reference tokens of `from`, for move and copy.
    var from: [String]?
    var value: YAMLNode?
  }

  var kind: Kind
  var name: String
  var nameSpan: SourceSpan
  var operations: [Operation]

  /// The fields of `spec`.
  static let fields = [
    Field(
      "target",
      .object([
        Field(
          "kind", .choice(Kind.allCases.map(\.rawValue)), required: true, "The resource's kind."),
        Field("name", .text(.name), required: true, "The resource's name."),
      ]), required: true, "The resource that is changed."),
    Field(
      "operations",
      .list(
        .object([
          Field(
            "op", .choice(Operation.Verb.allCases.map(\.rawValue)), required: true,
            "What is done."),
          Field(
            "path", .text(.plain), required: true,
            "Where, as a JSON pointer from the document's root, such as /spec/memory/guest."),
          Field("from", .text(.plain), "Where move and copy take the value from."),
          Field("value", .any, "The value of add, replace and test."),
        ])), required: true, "What is done, in order, as RFC 6902 has it."),
  ]
}

extension DocumentDecoder {
  /// The patch that a document holds; nil where it can't be read.
  mutating func patch(_ document: YAMLNode) -> PatchDocument? {
    checkNames(document.pairs, among: Self.names, in: "")
    checkVersion(document.pairs, span(document))
    let spec = document["spec"]
    let position = written.addRoot("spec", at: WrittenFields.Mark(spec ?? document))
    let object = group(spec, PatchDocument.fields, at: position)
    guard diagnostics.isEmpty, let target = object["target"],
      let kind = target["kind"]?.string.flatMap(Kind.init(rawValue:)),
      let name = target["name"]?.string, let nameNode = spec?["target"]?["name"]
    else { return nil }
    var operations: [PatchDocument.Operation] = []
    for item in spec?["operations"]?.items ?? [] {
      if let operation = operation(item) { operations.append(operation) }
    }
    guard diagnostics.isEmpty else { return nil }
    return PatchDocument(
      kind: kind, name: name, nameSpan: span(nameNode), operations: operations)
  }

  private mutating func operation(_ item: YAMLNode) -> PatchDocument.Operation? {
    guard let verb = item["op"]?.text.flatMap(PatchDocument.Operation.Verb.init(rawValue:)),
      let pathNode = item["path"], let path = tokens(pathNode)
    else { return nil }
    var operation = PatchDocument.Operation(verb: verb, path: path, pathNode: pathNode)
    switch verb {
    case .move, .copy:
      guard let from = item["from"] else {
        fail("missing-field", "\(verb.rawValue) needs 'from'", path: "from", at: span(item))
        return nil
      }
      guard let source = tokens(from) else { return nil }
      operation.from = source
      if verb == .move, path.starts(with: source), path.count > source.count {
        fail("conflicting-fields", "a value can't move into itself", at: span(pathNode))
        return nil
      }
    case .add, .replace, .test:
      guard let value = item["value"] else {
        fail("missing-field", "\(verb.rawValue) needs 'value'", path: "value", at: span(item))
        return nil
      }
      operation.value = value
    case .remove: break
    }
    return operation
  }

  /// The reference tokens of a JSON pointer (RFC 6901).
  private mutating func tokens(_ node: YAMLNode) -> [String]? {
    let text = node.text ?? ""
    guard text.hasPrefix("/"), let tokens = Self.tokens(of: text) else {
      fail(
        "invalid-value", "\(node.quoted) is no JSON pointer", at: span(node),
        help: "write '/' before each name, such as '/spec/disks/0/size'; '~1' stands for '/'")
      return nil
    }
    return tokens
  }

  private static func tokens(of text: String) -> [String]? {
    var tokens: [String] = []
    for part in text.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
      var token = ""
      var rest = part[...]
      while let character = rest.popFirst() {
        guard character == "~" else {
          token.append(character)
          continue
        }
        switch rest.popFirst() {
        case "0": token.append("~")
        case "1": token.append("/")
        default: return nil
        }
      }
      tokens.append(token)
    }
    return tokens
  }
}
