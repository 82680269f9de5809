internal import Diagnostics
internal import JSON
internal import Resources
internal import YAML

/// Lays documents of overlays over those of manifests.
struct Overlay {
  /// The documents as they are now.
  var documents: [YAMLDocument] { all.filter { !$0.isRemoved }.map(\.document) }
  private(set) var diagnostics: [Diagnostic] = []
  private let sources: NodeSources
  private var all: [(document: YAMLDocument, isRemoved: Bool)]
  private var places: [Address: Int] = [:]

  private struct Address: Hashable {
    var kind: String
    var name: String
  }

  init(_ base: [YAMLDocument], sources: NodeSources) {
    self.sources = sources
    all = base.map { ($0, false) }
    for (index, document) in base.enumerated() {
      guard let address = Self.address(of: document.root), places[address] == nil else { continue }
      places[address] = index
    }
  }

  /// Merges a document into the one of the same kind and name, applies a patch, or adds the
  /// document where there is none of its name.
  mutating func lay(_ document: YAMLDocument) {
    if document.root["kind"]?.text == PatchDocument.kind {
      if !document.isFlawed { patch(document.root) }
      return
    }
    guard let address = Self.address(of: document.root), let index = places[address] else {
      return add(document)
    }
    if document.isFlawed {
      all[index].document.isFlawed = true
      return
    }
    var merge = StrategicMerge(sources: sources)
    let root = merge.merged(
      all[index].document.root, document.root, Self.type(of: address.kind))
    diagnostics += merge.diagnostics
    guard let root else {
      all[index].isRemoved = true
      places[address] = nil
      return
    }
    all[index].document.root = root
  }

  private mutating func add(_ document: YAMLDocument) {
    var merge = StrategicMerge(sources: sources)
    let directive = merge.directive(of: document.root)
    diagnostics += merge.diagnostics
    guard let address = Self.address(of: document.root) else {
      all.append((document, false))
      return
    }
    if directive == "delete" || directive == "merge" {
      let place = document.root["metadata"]?["name"] ?? document.root
      return reportMissing(address, at: sources.span(place))
    }
    var document = document
    if directive != nil {
      document.root.content = .mapping(
        document.root.pairs.filter { $0.key != StrategicMerge.directive })
    }
    places[address] = all.count
    all.append((document, false))
  }

  private mutating func patch(_ root: YAMLNode) {
    var decoder = DocumentDecoder(sources: sources)
    let patch = decoder.patch(root)
    diagnostics += decoder.diagnostics
    guard let patch else { return }
    let address = Address(kind: patch.kind.rawValue, name: patch.name)
    guard let index = places[address] else { return reportMissing(address, at: patch.nameSpan) }
    var application = PatchApplication(all[index].document.root, sources: sources)
    for operation in patch.operations where !application.hasFailed { application.apply(operation) }
    diagnostics += application.diagnostics
    if application.hasFailed {
      all[index].document.isFlawed = true
    } else {
      all[index].document.root = application.root
    }
  }

  private mutating func reportMissing(_ address: Address, at span: SourceSpan) {
    let names = places.keys.filter { $0.kind == address.kind }.map(\.name).sorted()
    let list = names.count <= 8 ? names : Array(names.prefix(8)) + ["..."]
    diagnostics.append(
      Diagnostic(
        "missing-target", "there is no \(address.kind) '\(address.name)' to change", at: span,
        help: nearest(to: address.name, among: names).map { "did you mean '\($0)'?" }
          ?? (names.isEmpty
            ? "the manifests declare no \(address.kind)"
            : "the manifests declare \(list.joined(separator: ", "))")))
  }

  private static func address(of root: YAMLNode) -> Address? {
    guard let kind = root["kind"]?.text, let name = root["metadata"]?["name"]?.text else {
      return nil
    }
    return Address(kind: kind, name: name)
  }

  /// What the field tables know of a document of a kind.
  private static func type(of kind: String) -> FieldType? {
    Kind(rawValue: kind).map { kind in
      .object([
        Field("metadata", .object(Schema.metadata), ""),
        Field("spec", .object(Schema.table(for: kind).fields), ""),
      ])
    }
  }
}
