internal import Diagnostics
internal import Resources
internal import YAML

/// Puts the values of variables into documents.
///
/// A value bears the place of the reference that it stands for.
struct Substitution {
  let table: VariableTable
  private(set) var diagnostics: [Diagnostic] = []

  init(_ table: VariableTable) { self.table = table }

  /// Puts values into a document's texts; keys stay as they are.
  mutating func apply(to document: inout YAMLNode) {
    guard case .mapping(var pairs) = document.content else { return }
    for index in pairs.indices {
      if pairs[index].key == "spec" {
        applyToSpecification(&pairs[index].value)
      } else {
        substitute(&pairs[index].value, isSeed: false)
      }
    }
    document.content = .mapping(pairs)
  }

  /// Secrets may stand in cloud-init's data alone.
  private mutating func applyToSpecification(_ spec: inout YAMLNode) {
    guard case .mapping(var pairs) = spec.content else { return substitute(&spec, isSeed: false) }
    for index in pairs.indices {
      guard pairs[index].key == "cloudInit", case .mapping(var inner) = pairs[index].value.content
      else {
        substitute(&pairs[index].value, isSeed: false)
        continue
      }
      for index in inner.indices {
        let isSeed = ["userData", "networkData"].contains(inner[index].key)
        substitute(&inner[index].value, isSeed: isSeed)
      }
      pairs[index].value.content = .mapping(inner)
    }
    spec.content = .mapping(pairs)
  }

  private mutating func substitute(_ node: inout YAMLNode, isSeed: Bool) {
    switch node.content {
    case .scalar(let text, let isPlain):
      guard text.utf8.contains(UInt8(ascii: "$")) else { return }
      node.content = content(of: node, text, isPlain, isSeed: isSeed)
    case .sequence(var items):
      for index in items.indices { substitute(&items[index], isSeed: isSeed) }
      node.content = .sequence(items)
    case .mapping(var pairs):
      for index in pairs.indices { substitute(&pairs[index].value, isSeed: isSeed) }
      node.content = .mapping(pairs)
    }
  }

  private mutating func content(
    of node: YAMLNode, _ text: String, _ isPlain: Bool, isSeed: Bool
  ) -> YAMLNode.Content {
    let pieces = ReferenceText.pieces(of: text)
    if case .variable(let name) = pieces.first, pieces.count == 1 {
      guard let value = value(name, in: node) else { return node.content }
      return placed(value, like: node, isSeed: isSeed).content
    }
    var out = ""
    for (index, piece) in pieces.enumerated() {
      switch piece {
      case .text(let text): out += text
      case .escape: out += isSeed && Self.isSecret(pieces[(index + 1)...].first) ? "$${" : "${"
      case .variable(let name):
        guard let value = value(name, in: node) else { continue }
        guard let text = value.text else {
          fail(
            "wrong-type", "the variable '\(name)' is \(value.noun) and can't stand within a text",
            "${var.\(name)}", node, help: "let it be the whole value, without text around it")
          continue
        }
        out += isSeed ? Self.withoutSecrets(text) : text
      case .secret(let name):
        out += "${secret.\(name)}"
        if !isSeed {
          fail(
            "misplaced-reference", "a secret can't stand here", "${secret.\(name)}", node,
            help: "secrets go into cloudInit.userData and cloudInit.networkData alone;"
              + " write '$${secret.' for the text itself")
        }
      case .malformed(let text):
        fail(
          "malformed-reference", "'\(text)' is no reference", text, node,
          help: "write '${var.NAME}' or '${secret.NAME}', or '$${' for the text '${'")
      }
    }
    return .scalar(out, isPlain: isPlain && pieces.count == 1)
  }

  /// Whether the text behind an escaped `${` would make it a secret.
  private static func isSecret(_ piece: ReferenceText.Piece?) -> Bool {
    if case .text(let text) = piece { text.hasPrefix("secret.") } else { false }
  }

  /// A variable's value in cloud-init's data is a text, whatever it looks like.
  private static func withoutSecrets(_ text: String) -> String {
    ReferenceText.pieces(of: text).map { piece in
      switch piece {
      case .text(let text), .malformed(let text): text
      case .escape: "$${"
      case .variable(let name): "${var.\(name)}"
      case .secret(let name): "$${secret.\(name)}"
      }
    }.joined()
  }

  private func placed(_ value: YAMLNode, like node: YAMLNode, isSeed: Bool) -> YAMLNode {
    var value = value
    value.start = node.start
    value.end = node.end
    value.source = node.source
    switch value.content {
    case .scalar(let text, let isPlain):
      if isSeed { value.content = .scalar(Self.withoutSecrets(text), isPlain: isPlain) }
    case .sequence(let items):
      value.content = .sequence(items.map { placed($0, like: node, isSeed: isSeed) })
    case .mapping(let pairs):
      value.content = .mapping(
        pairs.map { pair in
          var pair = pair
          pair.keyStart = node.start
          pair.keyLength = Int32(clamping: node.markedLength)
          pair.source = node.source
          pair.value = placed(pair.value, like: node, isSeed: isSeed)
          return pair
        })
    }
    return value
  }

  /// A variable's value; reports one that is not declared.
  private mutating func value(_ name: String, in node: YAMLNode) -> YAMLNode? {
    if let value = table.value(name) { return value }
    if !table.isFlawed(name) {
      fail(
        "unknown-variable", "no variable '\(name)' is declared", "${var.\(name)}", node,
        help: table.help(for: name))
    }
    isIncomplete = true
    return nil
  }

  /// Whether a value was missing since this was last set to false.
  var isIncomplete = false

  private mutating func fail(
    _ code: DiagnosticCode, _ message: String, _ text: String, _ node: YAMLNode, help: String
  ) {
    isIncomplete = true
    diagnostics.append(
      Diagnostic(code, message, at: table.sources.span(of: text, in: node), help: help))
  }
}
