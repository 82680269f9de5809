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
  /// What can refer to others: all but flawed documents.
  private var documents: [DecodedDocument] = []
  /// The machines, with their indices among the readable ones.
  private var machines: [(resource: Int, document: DecodedDocument)] = []
  private var networks: [String: NetworkSpecification] = [:]

  /// Nothing yet.
  ///
  /// - Parameters:
  ///   - known: what is there without being declared.
  ///   - count: about how many documents there will be.
  init(known: Set<ResourceID>, count: Int = 0) {
    self.known = known
    places.reserveCapacity(count)
    readable.reserveCapacity(count)
  }

  /// Takes in a document's outcome.
  ///
  /// A document with errors still declares its name, so that one mistake is not reported twice.
  /// Of a flawed one nothing else can be said.
  mutating func add(_ document: DecodedDocument) {
    let decoder = document.decoder
    if !document.isFlawed {
      diagnostics += decoder.diagnostics
      documents.append(document)
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
      case .virtualMachine: machines.append((readable.count, document))
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
    var check = MachineUniqueness(readable, networks: networks)
    for (index, document) in machines {
      if case .virtualMachine(let machine) = document.decoder.specification {
        check.add(machine, of: index)
      }
    }
    diagnostics += check.diagnostics
  }

  private mutating func checkReferences() {
    var helps: [ResourceID: String] = [:]
    for document in documents {
      for reference in document.decoder.references where !isThere(reference.target) {
        let (target, fields) = (reference.target, document.decoder.written)
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
