internal import EngineInterface
internal import GRDB
internal import JSON
internal import Networking
internal import Resources

/// What there is to tell of all networks with ports, and of the machines on them.
struct NetworkFacts {
  private var networks: [String: (network: StoredNetwork, plugs: [NetworkPlugs.Plug])] = [:]
  /// What machines have on them, in the order of the machines' interfaces.
  private var plugs: [String: [(network: String, plug: NetworkPlugs.Plug)]] = [:]

  init(_ db: Database, _ rows: [StoredResource]) throws {
    let all = try rows.filter { $0.id.kind == .network }
      .map { try StoredNetwork(db, $0.id.name) }.filter(\.hasPorts)
    let rows = try PlugRows(db, of: all)
    for network in all {
      let found = try NetworkPlugs(network, rows).plugs
      networks[network.uid] = (network, found)
      for plug in found { plugs[plug.machine.uid, default: []].append((network.id.name, plug)) }
    }
  }

  /// Adds to a machine what its networks know of it.
  func tell(_ status: inout MachineStatus?, _ details: inout JSONValue, of uid: String) {
    guard var own = plugs[uid]?.sorted(by: { $0.plug.interface.name < $1.plug.interface.name })
    else { return }
    // A guest that is up is where it is, whatever comes with its next boot.
    if own.contains(where: \.plug.isUp) { own.removeAll { !$0.plug.isUp } }
    details["interfaces"] = .array(
      own.map { network, plug in
        var told: JSONValue = [
          "name": .string(plug.interface.name), "network": .string(network),
          "mac": .string(plug.mac),
        ]
        told["address"] = plug.address.map(JSONValue.string)
        told["address6"] = plug.address6.map(JSONValue.string)
        return told
      })
    guard let now = status, now.processID != nil else { return }
    let known = own.flatMap { [$0.plug.address, $0.plug.address6] }.compactMap { $0 }
    status?.addresses = known + now.addresses.filter { !known.contains($0) }
    let declared = own.first?.plug.machine.resource.networkNames ?? []
    status?.networksLeft = Set(own.map(\.network)).subtracting(declared).sorted()
  }

  /// What there is to tell of a network.
  ///
  /// - Parameter directory: where its supervisor is.
  func details(of row: StoredResource, _ look: NetworkLook, directory: String) -> JSONValue {
    guard let (network, plugs) = networks[row.uid] else { return [:] }
    var details: JSONValue = [
      "directory": .string(directory),
      "state": .string(look.status?.state.rawValue ?? "down"),
    ]
    let problem = look.status.map(\.problem) ?? look.problem ?? ""
    if !problem.isEmpty { details["problem"] = .string(problem) }
    if let subnets = network.subnets {
      details["subnet"] = .string("\(subnets.network)")
      details["gateway"] = .string("\(subnets.network.gateway)")
      if network.spec.hasIPv6 {
        details["subnet6"] = .string("\(subnets.network6)")
        details["gateway6"] = .string("\(subnets.network6.gateway)")
      }
    }
    details["domain"] = network.spec.domain.map(JSONValue.string)
    details["mtu"] = .integer(Int64(network.spec.mtu ?? NetworkConfiguration.defaultMTU))
    switch network.spec.mode {
    case .nat:
      details["uplink"] = network.subnets?.uplink == nil ? "slirp4netns" : "veth"
    case .bridge: details["uplink"] = .string("bridge \(network.spec.bridge ?? "")")
    case .isolated, .user: break
    }
    details["members"] = .array(
      plugs.map { $0.told(in: network.spec.domain, by: look.status) })
    guard let status = look.status else { return details }
    details["namespace"] = .integer(Int64(clamping: status.namespace))
    details["leases"] = .array(status.leases.map(\.told))
    details["processes"] = .array(status.processes.map(\.told))
    return details
  }
}

extension NetworkPlugs.Plug {
  /// - Parameter status: what the network's supervisor says; nil where none runs.
  fileprivate func told(in domain: String?, by status: NetworkStatus?) -> JSONValue {
    var member: JSONValue = [
      "machine": .string(machine.id.name), "interface": .string(interface.name),
      "mac": .string(mac), "name": .string(domain.map { "\(hostName).\($0)" } ?? hostName),
      "isConnected": .bool(interface.isConnected),
    ]
    member["address"] = address.map(JSONValue.string)
    member["address6"] = address6.map(JSONValue.string)
    member["forwards"] = .array(
      forwards.map { forward in
        let problem = status?.forwardProblems.first { $0.port == id && $0.forward == forward }
        return forward.told(problem?.problem)
      })
    guard let port = status?.ports.first(where: { $0.id == id }) else { return member }
    member["isPlugged"] = .bool(port.isPlugged)
    member["received"] = .integer(Int64(clamping: port.receivedBytes))
    member["sent"] = .integer(Int64(clamping: port.sentBytes))
    return member
  }
}

extension NetworkConfiguration.Forward {
  fileprivate func told(_ problem: String?) -> JSONValue {
    var value: JSONValue = [
      "protocol": .string(transport.rawValue), "address": .string(hostAddress),
      "host": .integer(Int64(hostPort)), "guest": .integer(Int64(guestPort)),
    ]
    value["problem"] = problem.map(JSONValue.string)
    return value
  }
}

extension NetworkStatus.Process {
  fileprivate var told: JSONValue {
    var value: JSONValue = ["name": .string(name), "restarts": .integer(Int64(restarts))]
    value["pid"] = pid.map { .integer(Int64($0)) }
    return value
  }
}

extension NetworkStatus.Lease {
  fileprivate var told: JSONValue {
    var value: JSONValue = ["mac": .string(mac), "address": .string(address)]
    if !name.isEmpty { value["name"] = .string(name) }
    value["expires"] = expires.map(JSONValue.integer)
    return value
  }
}
