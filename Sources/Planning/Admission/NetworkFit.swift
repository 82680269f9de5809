internal import Diagnostics
internal import EngineInterface
internal import JSON
internal import Resources

/// Whether the networks that will be there give what the interfaces on them ask for.
///
/// Manifests are checked for that too, as far as they declare the network.
struct NetworkFit {
  /// What doesn't fit.
  struct Problem {
    var path: String
    var code: DiagnosticCode
    var message: String
    var help: String
    /// The network's field that says so.
    var cause: String
  }

  private var networks: [String: NetworkSpecification] = [:]

  /// No networks, which all fits.
  init() {}

  /// The networks as they will be.
  init(_ draft: Draft) {
    func add(_ network: Resource) {
      // One that is damaged is no ground to refuse what is on it.
      networks[network.id.name] = try? NetworkSpecification(network.spec)
    }
    for stored in draft.observed.resources where stored.resource.id.kind == .network {
      add(stored.resource)
    }
    for index in draft.living(.network) { draft.candidates[index].desired.map(add) }
  }

  /// What of a machine doesn't fit the networks it is on, or the one that is named.
  func problems(of machine: Resource, on name: String? = nil) -> [Problem] {
    var found: [Problem] = []
    for value in machine.spec["interfaces"]?.array ?? [] {
      guard let network = value["network"]?.string, name == nil || network == name,
        let specification = networks[network], Self.asks(value, specification.mode),
        // One that is damaged is for the engine to refuse.
        let interface = try? MachineSpecification.Interface(value)
      else { continue }
      found += specification.misfits(of: interface, inNetwork: network).map { misfit in
        Problem(
          path: "spec.interfaces[\(interface.name)].\(misfit.field)", code: misfit.code,
          message: misfit.message, help: misfit.help, cause: misfit.cause)
      }
    }
    return found
  }

  /// Whether an interface asks for anything that a network could lack; most don't, and are not read.
  private static func asks(_ interface: JSONValue, _ mode: NetworkSpecification.Mode) -> Bool {
    ["address", "address6", "bandwidth"].contains { interface[$0] != nil }
      || interface["securityGroups"]?.array?.isEmpty == false
      || mode == .bridge && interface["ports"]?.array?.isEmpty == false
  }
}
