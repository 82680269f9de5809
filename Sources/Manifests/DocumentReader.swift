internal import Diagnostics
internal import YAML

/// Reads manifests into documents that are ready to be decoded: variables are replaced and overlays
/// are laid over them.
struct DocumentReader {
  private(set) var sources = NodeSources()
  private(set) var diagnostics: [Diagnostic] = []

  /// The documents of resources, in the order read; those that overlays add stand last.
  mutating func documents(
    of manifests: [ManifestSource], overlays: [ManifestSource], variables: VariableValues
  ) -> [YAMLDocument] {
    var base = manifests.flatMap { parse($0) }
    var added = overlays.flatMap { parse($0) }
    let files = variables.files.flatMap { values($0) }
    var declarations = takeDeclarations(of: &base)
    let changes = takeDeclarations(of: &added)
    var merge = StrategicMerge(sources: sources)
    merge.change(&declarations, by: changes)
    diagnostics += merge.diagnostics
    var table = VariableTable(sources: sources)
    for document in declarations { table.declare(document) }
    table.resolve(variables, files: files)
    diagnostics += table.diagnostics
    replaceVariables(in: &base, by: table)
    replaceVariables(in: &added, by: table)
    if added.isEmpty { return base }
    var overlay = Overlay(base, sources: sources)
    for document in added { overlay.lay(document) }
    diagnostics += overlay.diagnostics
    return overlay.documents
  }

  private mutating func parse(_ source: ManifestSource) -> [YAMLDocument] {
    let number = sources.add(source)
    let stream = parseYAML(source.bytes, file: source.file, source: number)
    diagnostics += stream.diagnostics
    return stream.documents
  }

  /// The documents of a file with values of variables.
  private mutating func values(_ source: ManifestSource) -> [YAMLNode] {
    parse(source).compactMap { document in
      if document.isFlawed { return nil }
      if case .mapping = document.root.content { return document.root }
      diagnostics.append(
        Diagnostic(
          "wrong-type", "expected values by name, got \(document.root.quoted)",
          at: sources.span(document.root), help: "write 'name: value' lines"))
      return nil
    }
  }

  /// Takes the documents that declare variables out of the others.
  private func takeDeclarations(of documents: inout [YAMLDocument]) -> [YAMLNode] {
    func declares(_ document: YAMLDocument) -> Bool {
      document.root["kind"]?.text == VariableDeclaration.kind
    }
    guard documents.contains(where: declares) else { return [] }
    let declarations = documents.filter { declares($0) && !$0.isFlawed }
    documents.removeAll(where: declares)
    return declarations.map(\.root)
  }

  private mutating func replaceVariables(
    in documents: inout [YAMLDocument], by table: VariableTable
  ) {
    var substitution = Substitution(table)
    for index in documents.indices where documents[index].hasReferences {
      substitution.isIncomplete = false
      substitution.apply(to: &documents[index].root)
      // What lacks a value can't be judged any further.
      if substitution.isIncomplete { documents[index].isFlawed = true }
    }
    diagnostics += substitution.diagnostics
  }
}
