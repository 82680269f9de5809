internal import Diagnostics
internal import YAML

/// Reads manifests and decodes them, once variables are replaced and overlays are laid over them.
struct DocumentReader {
  private let manifests: [ManifestSource]
  private let overlays: [ManifestSource]
  private let variables: VariableValues
  private let sources: NodeSources
  private(set) var diagnostics: [Diagnostic] = []

  init(_ manifests: [ManifestSource], overlays: [ManifestSource], variables: VariableValues) {
    self.manifests = manifests
    self.overlays = overlays
    self.variables = variables
    sources = NodeSources(manifests + overlays + variables.files)
  }

  /// The documents of resources, in the order read; those that overlays add stand last.
  mutating func documents() -> [DecodedDocument] {
    var decoding = DocumentDecoding(sources: sources)
    var declarations: [YAMLNode] = []
    var changes: [YAMLNode] = []
    var base: [YAMLDocument] = []
    var added: [YAMLDocument] = []
    var places: [Int] = []
    var count = 0
    diagnostics += parse(manifests, from: 0) { document in
      if takeDeclaration(document, to: &declarations) { return }
      // Nothing that stands further down can change it.
      if overlays.isEmpty, !document.hasReferences {
        decoding.add(document, at: count)
      } else {
        base.append(document)
        places.append(count)
      }
      count += 1
    }
    diagnostics += parse(overlays, from: manifests.count) { document in
      if !takeDeclaration(document, to: &changes) { added.append(document) }
    }
    let files = values()
    var merge = StrategicMerge(sources: sources)
    merge.change(&declarations, by: changes)
    diagnostics += merge.diagnostics
    var table = VariableTable(sources: sources)
    for document in declarations { table.declare(document) }
    table.resolve(variables, files: files)
    diagnostics += table.diagnostics
    replaceVariables(in: &base, by: table)
    replaceVariables(in: &added, by: table)
    if !added.isEmpty {
      var overlay = Overlay(base, sources: sources)
      for document in added { overlay.lay(document) }
      diagnostics += overlay.diagnostics
      base = overlay.documents
      places = Array(base.indices)
    }
    for (place, document) in zip(places, base) { decoding.add(document, at: place) }
    return decoding.finish()
  }

  /// Reads texts, the first of which bears a number, and hands on each document.
  private func parse(
    _ texts: [ManifestSource], from number: Int, _ body: (YAMLDocument) -> Void
  ) -> [Diagnostic] {
    zip(Int32(clamping: number)..., texts).flatMap { number, text in
      readYAML(text.bytes, file: text.file, source: number, body)
    }
  }

  /// The documents of the files with values of variables.
  private mutating func values() -> [YAMLNode] {
    var values: [YAMLNode] = []
    var wrong: [YAMLNode] = []
    diagnostics += parse(variables.files, from: manifests.count + overlays.count) { document in
      if document.isFlawed { return }
      if case .mapping = document.root.content {
        values.append(document.root)
      } else {
        wrong.append(document.root)
      }
    }
    diagnostics += wrong.map { node in
      Diagnostic(
        "wrong-type", "expected values by name, got \(node.quoted)", at: sources.span(node),
        help: "write 'name: value' lines")
    }
    return values
  }

  /// Whether a document declares variables; it is taken, unless it is flawed.
  private func takeDeclaration(
    _ document: YAMLDocument, to declarations: inout [YAMLNode]
  ) -> Bool {
    guard document.root["kind"]?.text == VariableDeclaration.kind else { return false }
    if !document.isFlawed { declarations.append(document.root) }
    return true
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
