internal import Diagnostics
internal import Resources

/// Finds what two machines can't both have: a MAC, a port of the host, an address, a volume.
struct MachineUniqueness {
  private let resources: [Resource]
  private let networks: [String: NetworkSpecification]
  private(set) var diagnostics: [Diagnostic] = []
  private var owners: [Claim: Owner] = [:]
  /// By protocol and port: the addresses that are listened on.
  private var listeners: [Port: [(address: String, owner: Owner)]] = [:]

  private enum Claim: Hashable {
    case mac(String)
    case address(network: String, String)
    case volume(String)
  }

  private struct Port: Hashable {
    var networkProtocol: String
    var number: Int
  }

  /// A field of a machine that makes a claim.
  private struct Owner {
    /// The machine's index.
    var machine: Int
    var path: String
  }

  init(_ resources: [Resource], networks: [String: NetworkSpecification]) {
    self.resources = resources
    self.networks = networks
  }

  /// Takes in what the machine with an index among the resources claims.
  mutating func add(_ machine: MachineSpecification, of resource: Int) {
    for disk in machine.disks {
      guard case .volume(let name) = disk.source else { continue }
      claim(
        .volume(name), "duplicate-volume", "the volume '\(name)'", resource,
        "spec.disks[\(disk.name)].volume", help: "declare a volume for each machine")
    }
    for interface in machine.interfaces {
      let path = "spec.interfaces[\(interface.name)]"
      if let mac = interface.mac {
        claim(
          .mac(mac), "duplicate-mac", "the MAC \(mac)", resource, path + ".mac",
          help: "choose another one, or leave it out and the engine chooses")
      }
      if let network = networks[interface.network] { add(interface, on: network, resource, path) }
      for port in interface.ports { add(port, resource, path) }
    }
  }

  private mutating func claim(
    _ claim: Claim, _ code: DiagnosticCode, _ what: @autoclosure () -> String,
    _ resource: Int, _ path: String, help: String
  ) {
    let owner = Owner(machine: resource, path: path)
    if let first = owners[claim] {
      // A volume twice in one machine is the field table's to report.
      if case .volume = claim, first.machine == owner.machine { return }
      report(code, what(), owner, first, help: help)
    } else {
      owners[claim] = owner
    }
  }

  private func span(_ owner: Owner) -> SourceSpan? {
    resources[owner.machine].written.span(at: owner.path)
  }

  private mutating func report(
    _ code: DiagnosticCode, _ what: String, _ owner: Owner, _ first: Owner, help: String
  ) {
    let place = span(first).map { " at \($0)" } ?? ""
    diagnostics.append(
      Diagnostic(
        code, "\(what) is used by \(resources[first.machine].id)\(place) already", path: owner.path,
        at: span(owner), help: help))
  }

  private mutating func add(
    _ interface: MachineSpecification.Interface, on network: NetworkSpecification,
    _ resource: Int, _ path: String
  ) {
    let name = interface.network
    for misfit in network.misfits(of: interface, inNetwork: name) {
      let path = "\(path).\(misfit.field)"
      diagnostics.append(
        Diagnostic(
          misfit.code, misfit.message, path: path,
          at: span(Owner(machine: resource, path: path)), help: misfit.help))
    }
    // In mode `user` each machine has a network of its own.
    if network.mode == .user { return }
    for (field, address) in [("address", interface.address), ("address6", interface.address6)] {
      guard let address else { continue }
      claim(
        .address(network: name, address), "duplicate-address",
        "the address \(address) in Network/\(name)", resource, "\(path).\(field)",
        help: "choose another address")
    }
    guard network.mode.isSegment else { return }
    let machine = resources[resource].id.name
    let host = network.hosts.first { network.fullName($0.name) == network.fullName(machine) }
    if let host {
      let path = path + ".network"
      diagnostics.append(
        Diagnostic(
          "duplicate-name", "Network/\(name) has another host '\(host.name)' in dns.hosts",
          path: path, at: span(Owner(machine: resource, path: path)) ?? resources[resource].source,
          help: "take it out there: guests have their names without that"))
    }
  }

  private mutating func add(
    _ port: MachineSpecification.PortForward, _ resource: Int, _ path: String
  ) {
    guard let host = port.host else { return }
    let path = "\(path).ports[\(port.guest)/\(port.networkProtocol)].host"
    let owner = Owner(machine: resource, path: path)
    let key = Port(networkProtocol: port.networkProtocol, number: host)
    let others = listeners[key, default: []]
    let any = "0.0.0.0"
    // Two of one machine are the field table's to report.
    let first = others.first {
      $0.owner.machine != resource
        && ($0.address == port.address || $0.address == any || port.address == any)
    }
    if let first {
      report(
        "duplicate-port", "\(port.networkProtocol) port \(port.address):\(host)", owner,
        first.owner, help: "choose another port, or leave 'host' out and the engine chooses")
    }
    listeners[key] = others + [(port.address, owner)]
  }
}
