public import Diagnostics
public import Resources

/// What there is to know about a kind or a field, for `ingot explain`.
public struct Explanation: Sendable {
  /// The kind.
  public var kind: DocumentKind
  /// The field's path with `spec` or `metadata`; empty for the kind itself.
  public var path: String
  /// The field; nil for the kind itself.
  public var field: Field?
  /// One sentence of documentation.
  public var doc: String
  /// The fields below.
  public var fields: [Field]

  /// Looks a path up, such as `vm`, `vm.memory.guest` or `Patch.spec.target`.
  ///
  /// - Throws: a diagnostic with the nearest known name.
  public init(path text: String) throws(Diagnostic) {
    var names = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    let word = names.removeFirst()
    guard let kind = DocumentKind(word: word) else {
      let words = DocumentKind.all.flatMap { [$0.name] + ($0.shortName.map { [$0] } ?? []) }
      throw Diagnostic(
        "unknown-kind", "'\(word)' is no kind",
        help: nearest(to: word, among: words).map { "did you mean '\($0)'?" }
          ?? "the kinds are \(words.joined(separator: ", "))")
    }
    self.kind = kind
    doc = kind.doc
    fields = kind.fields
    path = ""
    field = nil
    guard let first = names.first else { return }
    var walked = kind.name
    path = "spec"
    if first == "metadata" {
      path = "metadata"
      fields = Schema.metadata
      doc = "What the resource is called."
    }
    if first == "spec" || first == "metadata" {
      names.removeFirst()
      walked += "." + first
    }
    for name in names { try descend(name, &walked) }
  }

  private mutating func descend(_ text: String, _ walked: inout String) throws(Diagnostic) {
    let name = String(text.prefix { $0 != "[" })
    guard let next = fields.first(where: { $0.name == name }) else {
      let known = fields.map(\.name)
      throw Diagnostic(
        "unknown-field", "\(walked) has no field '\(name)'",
        help: nearest(to: name, among: known).map { "did you mean '\(walked).\($0)'?" }
          ?? (known.isEmpty ? "it has no fields" : "it has \(known.joined(separator: ", "))"))
    }
    walked += "." + name
    path += "." + name
    field = next
    doc = next.doc
    fields = next.type.fields
  }

  /// The explanation as text, with a line break at the end.
  public var text: String {
    var lines = [path.isEmpty ? kind.name : "\(kind.name).\(path)", "  \(doc)"]
    if let field {
      var facts = [("type", field.type.summary)]
      if field.isRequired { facts.append(("required", "yes")) }
      if let value = field.defaultText { facts.append(("default", value)) }
      if let limits = field.type.limits { facts.append(("limits", limits)) }
      if case .text(let format) = field.type, format != .plain {
        facts.append(("form", format.help))
      }
      if let change = field.changeText {
        facts.append(("change", change))
        if let wayRound = field.wayRound { facts.append(("", wayRound)) }
      }
      lines.append("")
      for (name, value) in facts { lines.append("  " + padded(name, 10) + value) }
    }
    if !fields.isEmpty {
      lines += ["", "  fields"]
      let width = (fields.map(\.name.count).max() ?? 0) + 2
      let typeWidth = (fields.map(\.type.summary.count).max() ?? 0) + 2
      for field in fields {
        lines.append(
          "    " + padded(field.name, width) + padded(field.type.summary, typeWidth) + field.doc)
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The kind or the field with all fields below it, a line each: name, type, limits, default and
  /// the effect of a change.
  public var recursiveText: String {
    var rows: [(name: String, facts: String, doc: String)] = []
    func add(_ fields: [Field], _ depth: Int) {
      for field in fields {
        var facts = [field.type.summary + (field.type.limits.map { " (\($0))" } ?? "")]
        if field.isRequired { facts.append("required") }
        if let value = field.defaultText { facts.append("default \(value)") }
        if !field.changeWord.isEmpty, field.changeWord != Effect.none.word {
          facts.append(field.changeWord)
        }
        let name = String(repeating: "  ", count: depth) + field.name
        rows.append((name, facts.joined(separator: ", "), field.doc))
        add(field.type.fields, depth + 1)
      }
    }
    add(fields, 0)
    let width = (rows.map(\.name.count).max() ?? 0) + 2
    var lines = [path.isEmpty ? kind.name : "\(kind.name).\(path)", "  \(doc)", ""]
    lines += rows.map { "  " + padded($0.name, width) + $0.facts + ". " + $0.doc }
    return lines.joined(separator: "\n") + "\n"
  }

  private func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}
