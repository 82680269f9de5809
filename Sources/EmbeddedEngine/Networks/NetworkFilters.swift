internal import EngineInterface
internal import GRDB
internal import Networking
internal import Resources

/// The rules of security groups, with the addresses of all that are under a group in the place of
/// its name.
struct NetworkFilters {
  private var groups: [String: SecurityGroupSpecification] = [:]
  /// The addresses of the interfaces under a group that a rule names.
  private var members: [String: [String]] = [:]

  /// Reads the groups that interfaces are under, and the members of those that their rules name.
  init(_ db: Database, of plugs: [NetworkPlugs.Plug]) throws {
    let names = Set(plugs.flatMap(\.interface.securityGroups))
    for name in names.sorted() {
      let id = ResourceID(.securityGroup, name)
      guard let row = try StoredResource.find(db, id) else {
        // A card that waits for its guest's next boot to go may be under what is gone already.
        groups[name] = .nothing
        continue
      }
      groups[name] = try SecurityGroupSpecification(
        Intent.pendingSpec(db, id) ?? row.resource.spec)
    }
    let named = Set(groups.values.flatMap(\.groups))
    if named.isEmpty { return }
    // On whatever networks they are.
    let networks = try StoredResource.all(db, kind: .network)
      .map { try StoredNetwork(db, $0.id.name) }.filter(\.spec.mode.isSegment)
    let rows = try PlugRows(db, of: networks)
    for plug in try networks.flatMap({ try NetworkPlugs($0, rows).plugs }) {
      for name in Set(plug.interface.securityGroups).intersection(named) {
        members[name, default: []] += [plug.address, plug.address6].compactMap { $0 }
      }
    }
  }

  /// What an interface is allowed; nil where that is everything.
  func filter(of interface: MachineSpecification.Interface) -> NetworkConfiguration.Filter? {
    let own = SecurityGroupSpecification(
      together: interface.securityGroups.compactMap { groups[$0] })
    if own.ingress == nil, own.egress == nil { return nil }
    return NetworkConfiguration.Filter(
      ingress: own.ingress.map(rules), egress: own.egress.map(rules))
  }

  private func rules(
    _ rules: [SecurityGroupSpecification.Rule]
  ) -> [NetworkConfiguration.Rule] {
    rules.compactMap { rule in
      let peers = rule.peers.map { peers in
        var found: [String] = []
        for network in peers.flatMap(networks) where !found.contains(network) {
          found.append(network)
        }
        return found
      }
      // Groups that nobody is under: the rule allows nobody anything.
      if peers?.isEmpty == true { return nil }
      return NetworkConfiguration.Rule(
        rule.transport.content, ports: rule.ports.map(\.bounds), peers: peers ?? [])
    }
  }

  private func networks(_ peer: SecurityGroupSpecification.Peer) -> [String] {
    switch peer {
    case .network(let text):
      [text.contains("/") ? text : text + (text.contains(":") ? "/128" : "/32")]
    case .group(let name):
      (members[name] ?? []).map { $0 + ($0.contains(":") ? "/128" : "/32") }
    }
  }
}

extension SecurityGroupSpecification {
  /// Allows nothing.
  fileprivate static var nothing: SecurityGroupSpecification {
    SecurityGroupSpecification(ingress: [], egress: [])
  }
}

extension SecurityGroupSpecification.Transport {
  fileprivate var content: NetworkConfiguration.Rule.Content {
    switch self {
    case .any: .any
    case .tcp: .tcp
    case .udp: .udp
    case .icmp: .icmp
    }
  }
}
