internal import Diagnostics
internal import JSON
internal import Resources

/// What all manifests declare together, and the checks that need all of them.
struct Declarations {
  /// The resources that can be read.
  private(set) var readable: [Resource] = []
  var diagnostics: [Diagnostic] = []
  private let known: Set<ResourceID>
  /// Those of the readable ones that have errors all the same.
  private var flawed: Set<ResourceID> = []
  private var places: [ResourceID: SourceSpan] = [:]
  private var references: [DocumentDecoder.Reference] = []

  init(known: Set<ResourceID>) { self.known = known }

  /// Takes in a document's outcome.
  ///
  /// A document with errors still declares its name, so that one mistake is not reported twice.
  ///
  /// - Parameter isFlawed: whether the document lacks something that was reported already, so that
  ///   nothing else can be said of it.
  mutating func add(
    _ resource: Resource?, from decoder: DocumentDecoder, isFlawed: Bool = false
  ) {
    if !isFlawed {
      diagnostics += decoder.diagnostics
      references += decoder.references
    }
    guard let id = decoder.id, let place = decoder.nameSpan else { return }
    if let first = places[id] {
      diagnostics.append(
        Diagnostic(
          "duplicate-name", "\(id) is declared twice", path: "metadata.name", at: place,
          help: "it is declared first at \(first); rename or remove one"))
      return
    }
    places[id] = place
    if let resource, !isFlawed { readable.append(resource) }
    if !decoder.diagnostics.isEmpty { flawed.insert(id) }
  }

  /// The resources without errors of their own.
  var resources: [Resource] {
    flawed.isEmpty ? readable : readable.filter { !flawed.contains($0.id) }
  }

  /// Checks what concerns several documents.
  mutating func check() {
    checkReferences()
    checkCycles(.resourcePool, path: "spec.parent") { $0["parent"]?.string }
    checkCycles(.image, path: "spec.source.image") { $0["source"]?["image"]?.string }
    var check = MachineUniqueness(networks: networks())
    for resource in readable where resource.id.kind == .virtualMachine { check.add(resource) }
    diagnostics += check.diagnostics
  }

  private mutating func checkReferences() {
    var helps: [ResourceID: String] = [:]
    for reference in references {
      let target = reference.target
      if places[target] != nil || known.contains(target) { continue }
      // Comparing with all names costs much where thousands of names are wrong; the first tell.
      let help = helps[target] ?? (helps.count < 20 ? help(for: target) : "declare it")
      helps[target] = help
      diagnostics.append(
        Diagnostic(
          "missing-reference", "there is no \(target.kind.rawValue) '\(target.name)'",
          path: reference.path, at: reference.span, help: help))
    }
  }

  /// How to mend a reference to what is not declared.
  private func help(for target: ResourceID) -> String {
    let names = (Array(places.keys) + known).filter { $0.kind == target.kind }.map(\.name).sorted()
    if let near = nearest(to: target.name, among: names) { return "did you mean '\(near)'?" }
    if names.isEmpty { return "declare it in one of the manifests" }
    let list = names.count <= 8 ? names : Array(names.prefix(8)) + ["..."]
    return "declare it, or use one of \(list.joined(separator: ", "))"
  }

  private mutating func checkCycles(
    _ kind: Kind, path: String, _ parent: (JSONValue) -> String?
  ) {
    var parents: [String: String] = [:]
    for resource in readable where resource.id.kind == kind {
      parents[resource.id.name] = parent(resource.spec)
    }
    var reported: Set<String> = []
    for resource in readable where resource.id.kind == kind {
      var chain = [resource.id.name]
      var positions = [resource.id.name: 0]
      while let next = parents[chain[chain.count - 1]], !reported.contains(next) {
        if let start = positions[next] {
          let cycle = chain[start...] + [next]
          reported.formUnion(cycle)
          diagnostics.append(
            Diagnostic(
              "cycle", "\(cycle.joined(separator: " -> ")) leads back to itself", path: path,
              at: resource.fieldSources[path] ?? resource.source,
              help: "remove one of these references"))
          break
        }
        positions[next] = chain.count
        chain.append(next)
      }
      reported.formUnion(chain)
    }
  }

  private func networks() -> [String: NetworkSpecification] {
    var networks: [String: NetworkSpecification] = [:]
    for resource in readable where resource.id.kind == .network {
      // A specification that was just decoded by the same table is always readable.
      networks[resource.id.name] = try? NetworkSpecification(resource.spec)
    }
    return networks
  }
}
