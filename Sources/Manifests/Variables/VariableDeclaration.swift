internal import Diagnostics
internal import JSON
internal import Resources
internal import YAML

/// A variable as a document of kind `Variables` declares it.
struct VariableDeclaration {
  /// The kind of the documents that declare variables.
  static let kind = "Variables"

  var name: String
  var type: VariableType
  var defaultValue: YAMLNode?
  var choices: [String]
  /// Where the name stands.
  var span: SourceSpan
}

extension DocumentDecoder {
  /// The variables that a document declares, with what is wrong with it recorded.
  mutating func variables(_ document: YAMLNode) -> [VariableDeclaration] {
    let pairs = document.pairs
    checkNames(pairs, among: Self.names, in: "")
    checkVersion(pairs, span(document))
    if let metadata = document["metadata"], !metadata.isNull {
      let fields = Schema.metadata.map { Field($0.name, $0.type, $0.doc) }
      _ = group(
        metadata, fields, at: written.addRoot("metadata", at: WrittenFields.Mark(metadata)))
    }
    guard let spec = document["spec"], !spec.isNull else { return [] }
    guard case .mapping(let pairs) = spec.content else {
      wrongType(spec, "variables by name", path: "spec")
      return []
    }
    return pairs.compactMap { variable($0) }
  }

  private mutating func variable(_ pair: YAMLPair) -> VariableDeclaration? {
    guard ReferenceText.isVariableName(pair.key) else {
      fail(
        "invalid-name", "'\(pair.key)' is no name of a variable", path: "spec.\(pair.key)",
        at: span(key: pair), help: "use letters, digits and '_', no digit first")
      return nil
    }
    let before = diagnostics.count
    let position = written.addRoot("spec.\(pair.key)", at: WrittenFields.Mark(key: pair))
    let object = group(
      pair.value.isNull ? nil : pair.value, VariableType.fields, at: position)
    guard before == diagnostics.count,
      let type = object["type"]?.string.flatMap(VariableType.init(rawValue:))
    else { return nil }
    let given = pair.value["default"]
    return VariableDeclaration(
      name: pair.key, type: type, defaultValue: given?.isNull == true ? nil : given,
      choices: pair.value["choices"]?.items.compactMap(\.text) ?? [], span: span(key: pair))
  }
}

extension YAMLNode {
  /// The pairs of a mapping; none of anything else.
  var pairs: [YAMLPair] { if case .mapping(let pairs) = content { pairs } else { [] } }

  /// The items of a list; none of anything else.
  var items: [YAMLNode] { if case .sequence(let items) = content { items } else { [] } }

  /// The value under a key.
  subscript(key: String) -> YAMLNode? { pairs[key]?.value }
}

extension [YAMLPair] {
  /// The pair with a key.
  subscript(key: String) -> YAMLPair? { index(of: key).map { self[$0] } }

  /// Where a key stands.
  ///
  /// Searched by index, for taking out whole pairs to compare their keys costs more than comparing.
  func index(of key: String) -> Int? { indices.first { self[$0].key == key } }
}
