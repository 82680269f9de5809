internal import Diagnostics
internal import Resources
internal import YAML

/// The declared variables and their values.
struct VariableTable {
  let sources: NodeSources
  private(set) var diagnostics: [Diagnostic] = []
  private var declarations: [VariableDeclaration] = []
  private var values: [String: YAMLNode] = [:]
  /// Names whose declaration or value is wrong, which was reported.
  private var flawed: Set<String> = []

  init(sources: NodeSources) { self.sources = sources }

  /// Takes in what a document declares.
  mutating func declare(_ document: YAMLNode) {
    var decoder = DocumentDecoder(sources: sources)
    let declared = decoder.variables(document)
    diagnostics += decoder.diagnostics
    flawed.formUnion(document["spec"]?.pairs.map(\.key) ?? [])
    for declaration in declared {
      flawed.remove(declaration.name)
      if let first = declarations.first(where: { $0.name == declaration.name }) {
        diagnostics.append(
          Diagnostic(
            "duplicate-name", "the variable '\(declaration.name)' is declared twice",
            path: "spec.\(declaration.name)", at: declaration.span,
            help: "it is declared first at \(first.span); rename or remove one"))
      } else {
        declarations.append(declaration)
      }
    }
  }

  /// Finds each variable's value: of the options, the files, the environment, or its default.
  ///
  /// - Parameter files: the roots of the files.
  mutating func resolve(_ given: VariableValues, files: [YAMLNode]) {
    reportUnknown(given, files)
    for declaration in declarations {
      let name = declaration.name
      if let option = given.options.last(where: { $0.name == name }) {
        set(declaration, option.value, by: "--var \(name)")
      } else if let node = files.reversed().lazy.compactMap({ $0[name] }).first {
        set(declaration, node, path: name)
      } else if let variable = given.environment.first(where: { $0.name == name }) {
        set(declaration, variable.value, by: VariableValues.environmentPrefix + name)
      } else if let node = declaration.defaultValue {
        set(declaration, node, path: "spec.\(name).default")
      } else {
        fail(
          "missing-variable", "the variable '\(name)' has no value", path: "spec.\(name)",
          at: declaration.span, of: name,
          help: "pass --var \(name)=VALUE, or set \(VariableValues.environmentPrefix)\(name)")
      }
    }
  }

  /// A variable's value; nil where it is not declared.
  func value(_ name: String) -> YAMLNode? { values[name] }

  /// Whether what is wrong with a variable was reported already.
  func isFlawed(_ name: String) -> Bool { flawed.contains(name) }

  /// How to mend a name that nobody declares.
  func help(for name: String) -> String {
    let known = declarations.map(\.name)
    if let near = nearest(to: name, among: known) { return "did you mean '\(near)'?" }
    return known.isEmpty
      ? "declare it in a document of kind \(VariableDeclaration.kind)"
      : "declared are \(known.sorted().joined(separator: ", "))"
  }

  private mutating func fail(
    _ code: DiagnosticCode, _ message: String, path: String, at span: SourceSpan?, of name: String,
    help: String?
  ) {
    flawed.insert(name)
    diagnostics.append(Diagnostic(code, message, path: path, at: span, help: help))
  }

  private mutating func reportUnknown(_ given: VariableValues, _ files: [YAMLNode]) {
    func isKnown(_ name: String) -> Bool {
      flawed.contains(name) || declarations.contains { $0.name == name }
    }
    for option in given.options where !isKnown(option.name) {
      diagnostics.append(
        Diagnostic(
          "unknown-variable", "no variable '\(option.name)' is declared",
          path: "--var \(option.name)", help: help(for: option.name)))
    }
    for pair in files.flatMap(\.pairs) where !isKnown(pair.key) {
      diagnostics.append(
        Diagnostic(
          "unknown-variable", "no variable '\(pair.key)' is declared", path: pair.key,
          at: sources.span(key: pair), help: help(for: pair.key)))
    }
  }

  /// A value that was given as text.
  private mutating func set(_ declaration: VariableDeclaration, _ text: String, by origin: String) {
    let start = YAMLMark(line: 1, column: 1)
    var node = YAMLNode(content: .scalar(text, isPlain: true), start: start, end: start, source: -1)
    switch declaration.type {
    case .list, .map, .any:
      let stream = parseYAML(Array(text.utf8), file: origin, source: -1)
      if let problem = stream.diagnostics.first {
        return fail(
          problem.code, problem.message, path: origin, at: nil, of: declaration.name,
          help: "write it in YAML's short form, such as '[a, b]' or '{a: 1}'")
      }
      if let root = stream.documents.first?.root { node = root }
    default: break
    }
    set(declaration, node, path: origin)
  }

  private mutating func set(_ declaration: VariableDeclaration, _ node: YAMLNode, path: String) {
    var decoder = DocumentDecoder(sources: sources)
    var value = node
    switch (declaration.type, node.content) {
    case (.text, .scalar(let text, _)):
      if node.isNull, node.source >= 0 {
        decoder.wrongType(node, "a text", path: path)
      }
      value.content = .scalar(text, isPlain: false)
    case (.any, _), (.list, .sequence), (.map, .mapping): break
    case (.text, _): decoder.wrongType(node, "a text", path: path)
    case (.list, _): decoder.wrongType(node, "a list", path: path, help: "write it as '[a, b]'")
    case (.map, _):
      decoder.wrongType(node, "values by name", path: path, help: "write it as '{a: 1}'")
    default:
      if let type = declaration.type.fieldType {
        _ = decoder.scalar(node, type, decoder.written.addRoot(path))
      }
      if case .scalar(let text, _) = node.content { value.content = .scalar(text, isPlain: true) }
    }
    if decoder.diagnostics.isEmpty, !declaration.choices.isEmpty,
      !declaration.choices.contains(node.text ?? "")
    {
      decoder.fail(
        "invalid-value", "\(node.quoted) is none of \(declaration.choices.joined(separator: ", "))",
        path: path, at: decoder.span(node),
        help: nearest(to: node.text ?? "", among: declaration.choices).map {
          "did you mean '\($0)'?"
        })
    }
    if let reference = Self.reference(in: node) {
      decoder.fail(
        "misplaced-reference", "a variable's value can't refer to others, as \(reference) does",
        path: path, at: decoder.sources.span(of: reference, in: node), help: "write the value out")
    }
    if decoder.diagnostics.isEmpty {
      values[declaration.name] = value
    } else {
      flawed.insert(declaration.name)
    }
    diagnostics += decoder.diagnostics.map { diagnostic in
      // What came from the command line or the environment has no line to show.
      var diagnostic = diagnostic
      if node.source < 0 { diagnostic.span = nil }
      return diagnostic
    }
  }

  /// The first reference to a variable in a value.
  private static func reference(in node: YAMLNode) -> String? {
    switch node.content {
    case .scalar(let text, _):
      ReferenceText.pieces(of: text).lazy.compactMap {
        if case .variable(let name) = $0 { "${var.\(name)}" } else { nil }
      }.first
    case .sequence(let items): items.lazy.compactMap(reference).first
    case .mapping(let pairs): pairs.lazy.compactMap { reference(in: $0.value) }.first
    }
  }
}
