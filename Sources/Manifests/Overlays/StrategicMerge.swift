internal import Diagnostics
internal import Resources
internal import YAML

/// Merges nodes of overlays into nodes of manifests, as Kustomize's strategic merge does: groups
/// merge, keyed lists merge by their key, all else replaces; `null` removes a field.
///
/// `$patch: delete` removes a group or an element, `$patch: replace` replaces instead of merging.
/// What is taken from the overlay keeps its place there.
struct StrategicMerge {
  /// The name of the directive.
  static let directive = "$patch"

  let sources: NodeSources
  private(set) var diagnostics: [Diagnostic] = []

  init(sources: NodeSources) { self.sources = sources }

  /// The node that comes of both; nil where the overlay removes it.
  ///
  /// - Parameter type: what the field table knows of the node; nil where it knows nothing.
  mutating func merged(_ base: YAMLNode, _ patch: YAMLNode, _ type: FieldType?) -> YAMLNode? {
    switch (base.content, patch.content) {
    case (.mapping(let old), .mapping(let new)):
      switch directive(of: patch) {
      case "delete": return nil
      case "replace": return cleaned(patch)
      default: break
      }
      if case .oneOf = type, isOtherChoice(old, new) { return cleaned(patch) }
      var node = base
      node.content = .mapping(merged(old, new, type))
      return node
    case (.sequence(let old), .sequence(let new)):
      guard case .keyedList(let key, let fields) = type else { return cleaned(patch) }
      var node = base
      if new.contains(where: { isReplacing($0) }) {
        node = patch
        node.content = .sequence(new.filter { !isReplacing($0) }.compactMap { cleaned($0) })
      } else {
        node.content = .sequence(merged(old, new, key, fields))
      }
      return node
    default: return cleaned(patch)
    }
  }

  /// Changes declarations of variables, name by name; names that are new are added.
  mutating func change(_ declarations: inout [YAMLNode], by changes: [YAMLNode]) {
    for change in changes {
      var rest: [YAMLPair] = []
      for pair in change["spec"]?.pairs ?? [] {
        guard let index = declarations.firstIndex(where: { $0["spec"]?[pair.key] != nil }) else {
          rest.append(pair)
          continue
        }
        var one = change
        one.content = .mapping([wrapped([pair], like: change)])
        declarations[index] = merged(declarations[index], one, nil) ?? declarations[index]
      }
      guard let spec = change["spec"], !rest.isEmpty || spec.pairs.isEmpty else { continue }
      var new = change
      new.content = .mapping(
        change.pairs.filter { $0.key != "spec" }
          + (spec.pairs.isEmpty
            ? change.pairs.filter { $0.key == "spec" } : [wrapped(rest, like: change)])
      )
      declarations.append(new)
    }
  }

  /// The pair `spec` of a document with these pairs only.
  private func wrapped(_ pairs: [YAMLPair], like document: YAMLNode) -> YAMLPair {
    var spec =
      document.pairs.first { $0.key == "spec" }
      ?? YAMLPair(
        key: "spec", keyStart: document.start, keyLength: 1, source: document.source,
        value: document)
    spec.value.content = .mapping(pairs)
    return spec
  }

  private mutating func merged(_ old: [YAMLPair], _ new: [YAMLPair], _ type: FieldType?)
    -> [YAMLPair]
  {
    var pairs = old
    for pair in new where pair.key != Self.directive {
      let index = pairs.firstIndex { $0.key == pair.key }
      if pair.value.isNull {
        if let index { pairs.remove(at: index) }
        continue
      }
      guard let index else {
        var pair = pair
        guard let value = cleaned(pair.value) else { continue }
        pair.value = value
        pairs.append(pair)
        continue
      }
      let inner = type?.fields.first { $0.name == pair.key }?.type
      guard let value = merged(pairs[index].value, pair.value, inner) else {
        pairs.remove(at: index)
        continue
      }
      // A key stays at the place of what is below it.
      if value.source == pair.value.source { pairs[index] = pair }
      pairs[index].value = value
    }
    return pairs
  }

  private mutating func merged(
    _ old: [YAMLNode], _ new: [YAMLNode], _ key: String, _ fields: [Field]
  ) -> [YAMLNode] {
    var items = old
    for item in new {
      let name = DocumentDecoder.key(of: item, key, fields)
      let index = name.flatMap { name in
        items.firstIndex { DocumentDecoder.key(of: $0, key, fields) == name }
      }
      guard let index else {
        if directive(of: item) == "delete" {
          reportMissing(name, item, items.compactMap { DocumentDecoder.key(of: $0, key, fields) })
        } else if let item = cleaned(item) {
          items.append(item)
        }
        continue
      }
      if let value = merged(items[index], item, .object(fields)) {
        items[index] = value
      } else {
        items.remove(at: index)
      }
    }
    return items
  }

  private mutating func reportMissing(_ name: String?, _ item: YAMLNode, _ known: [String]) {
    diagnostics.append(
      Diagnostic(
        "missing-target",
        "there is no element \(name.map { "'\($0)'" } ?? "of that key") to remove",
        at: sources.span(item),
        help: name.flatMap { nearest(to: $0, among: known) }.map { "did you mean '\($0)'?" }
          ?? (known.isEmpty ? "the list is empty" : "there are \(known.joined(separator: ", "))")))
  }

  /// Whether an overlay sets another of the fields that exclude each other.
  private func isOtherChoice(_ old: [YAMLPair], _ new: [YAMLPair]) -> Bool {
    new.contains { pair in
      pair.key != Self.directive && !pair.value.isNull && !old.contains { $0.key == pair.key }
    } && !new.contains(where: \.value.isNull)
  }

  /// Whether an element says that the list is replaced and nothing else.
  private mutating func isReplacing(_ item: YAMLNode) -> Bool {
    item.pairs.count == 1 && directive(of: item) == "replace"
  }

  /// A node of an overlay without directives; nil where it removes itself.
  private mutating func cleaned(_ node: YAMLNode) -> YAMLNode? {
    var node = node
    switch node.content {
    case .scalar: break
    case .sequence(let items):
      node.content = .sequence(items.filter { !isReplacing($0) }.compactMap { cleaned($0) })
    case .mapping(let pairs):
      if directive(of: node) == "delete" { return nil }
      node.content = .mapping(
        pairs.compactMap { pair in
          guard pair.key != Self.directive, let value = cleaned(pair.value) else { return nil }
          var pair = pair
          pair.value = value
          return pair
        })
    }
    return node
  }

  /// The word behind `$patch`; nil where none stands, or an unknown one, which is reported.
  mutating func directive(of node: YAMLNode) -> String? {
    guard let value = node[Self.directive] else { return nil }
    let words = ["delete", "merge", "replace"]
    if let text = value.text, words.contains(text) { return text }
    let problem = Diagnostic(
      "invalid-value", "\(value.quoted) is none of \(words.joined(separator: ", "))",
      path: Self.directive, at: sources.span(value),
      help: value.text.flatMap { nearest(to: $0, among: words) }.map { "did you mean '\($0)'?" })
    if !diagnostics.contains(problem) { diagnostics.append(problem) }
    return nil
  }
}
