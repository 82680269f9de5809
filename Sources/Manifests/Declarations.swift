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
  /// What refers to others, by the fields that do.
  private var references: [(fields: WrittenFields, references: [DocumentDecoder.Reference])] = []
  private var machines: [(resource: Int, specification: MachineSpecification)] = []
  private var networks: [String: NetworkSpecification] = [:]

  init(known: Set<ResourceID>) { self.known = known }

  /// Takes in a document's outcome.
  ///
  /// A document with errors still declares its name, so that one mistake is not reported twice.
  /// Of a flawed one nothing else can be said.
  mutating func add(_ document: DecodedDocument) {
    let decoder = document.decoder
    if !document.isFlawed {
      diagnostics += decoder.diagnostics
      if !decoder.references.isEmpty { references.append((decoder.written, decoder.references)) }
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
    if let resource = document.resource, !document.isFlawed {
      switch decoder.specification {
      case .virtualMachine(let machine): machines.append((readable.count, machine))
      case .network(let network): networks[id.name] = network
      default: break
      }
      readable.append(resource)
    }
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
    var check = MachineUniqueness(networks: networks)
    for (index, machine) in machines { check.add(machine, of: readable[index]) }
    diagnostics += check.diagnostics
  }

  private mutating func checkReferences() {
    var helps: [ResourceID: String] = [:]
    for (fields, references) in references {
      for reference in references where !isThere(reference.target) {
        let target = reference.target
        // Comparing with all names costs much where thousands are wrong; the first tell.
        let help = helps[target] ?? (helps.count < 20 ? help(for: target) : "declare it")
        helps[target] = help
        diagnostics.append(
          Diagnostic(
            "missing-reference", "there is no \(target.kind.rawValue) '\(target.name)'",
            path: fields.path(reference.position), at: fields.span(reference.position), help: help))
      }
    }
  }

  private func isThere(_ id: ResourceID) -> Bool { places[id] != nil || known.contains(id) }

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
    let indices = readable.indices.filter { readable[$0].id.kind == kind }
    var parents: [String: String] = [:]
    for index in indices { parents[readable[index].id.name] = parent(readable[index].spec) }
    var reported: Set<String> = []
    for index in indices {
      let resource = readable[index]
      var chain = [resource.id.name]
      var positions = [resource.id.name: 0]
      while let next = parents[chain[chain.count - 1]], !reported.contains(next) {
        if let start = positions[next] {
          let cycle = chain[start...] + [next]
          reported.formUnion(cycle)
          diagnostics.append(
            Diagnostic(
              "cycle", "\(cycle.joined(separator: " -> ")) leads back to itself", path: path,
              at: resource.written.span(at: path) ?? resource.source,
              help: "remove one of these references"))
          break
        }
        positions[next] = chain.count
        chain.append(next)
      }
      reported.formUnion(chain)
    }
  }
}
