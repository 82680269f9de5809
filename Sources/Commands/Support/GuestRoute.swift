internal import EngineInterface
internal import JSON
internal import Resources

/// The way into a guest through a network that ingot keeps: no port of the host is needed.
struct GuestRoute: Hashable, Sendable {
  /// The network's name.
  var network: String
  /// The directory of the network's supervisor.
  var directory: String
  /// The guest's addresses there, IPv4 first.
  var addresses: [String]

  /// The way by the first of a machine's interfaces that is plugged into such a network; nil where
  /// none is.
  ///
  /// - Throws: `SpecificationError` where the machine's record doesn't read.
  static func find(
    to machine: ObservedResource, in observed: ObservedState
  ) throws -> GuestRoute? {
    let spec = try MachineSpecification(machine.resource.spec)
    for interface in MachineAddresses.interfaces(machine, spec) where interface.isConnected {
      let network = observed.resources.first {
        $0.resource.id == ResourceID(.network, interface.network)
      }
      guard let directory = network.flatMap({ NetworkDetails($0).directory }),
        !interface.addresses.isEmpty
      else { continue }
      return GuestRoute(
        network: interface.network, directory: directory, addresses: interface.addresses)
    }
    return nil
  }
}

extension EngineSession {
  /// A machine whose guest runs, and all that the engine holds beside it.
  ///
  /// - Parameter word: the machine by name or address.
  /// - Throws: `Failure` where it is not there, or that says how it is started.
  func runningMachine(
    _ word: String
  ) async throws -> (machine: ObservedResource, observed: ObservedState) {
    let name = try Addresses.machines([word])[0]
    let observed = try await engine.observe()
    let resource = try observed.resource(ResourceID(.virtualMachine, name))
    try resource.requireRunning()
    return (resource, observed)
  }
}

extension ObservedResource {
  /// Makes sure that a machine's guest runs.
  ///
  /// - Throws: `Failure` that says how it is started.
  func requireRunning() throws {
    let name = resource.id.name
    if let state = machine?.state, state == .halted || state == .crashed {
      throw Failure("\(name) does not run, it is \(state.rawValue)", help: "ingot start \(name)")
    }
  }
}
