internal import EngineInterface
internal import JSON
internal import Resources

/// What the engine tells of a network beside its specification; everything may be missing.
struct NetworkDetails {
  /// An interface of a machine on it.
  struct Member {
    /// The machine.
    var machine: String
    /// The interface.
    var interface: String
    /// The MAC address.
    var mac: String?
    /// The IPv4 and the IPv6 address.
    var addresses: [String]
    /// How guests call it.
    var name: String?
    /// Whether its cable is plugged in.
    var isConnected: Bool
    /// Whether its machine is there at the moment.
    var isPlugged: Bool
    /// The host's ports that lead to it, with what keeps one from working.
    var forwards: [(port: MachinePorts.Forward, problem: String?)]
    /// Bytes that the guest received and sent, where they are counted.
    var received: Int64?
    var sent: Int64?
  }

  /// An address that DHCP gave out.
  struct Lease {
    var mac: String
    var address: String
    var name: String?
    /// Seconds since 1970.
    var expires: Int64?
  }

  /// A process that serves it.
  struct ServingProcess {
    var name: String
    var id: Int64?
    var restarts: Int64
  }

  /// The directory of its supervisor; nil for mode user, which has none.
  let directory: String?
  /// What keeps it from working, in a sentence.
  let problem: String?
  /// The IPv4 and the IPv6 network.
  let subnets: [String]
  /// The host's own addresses in them.
  let gateways: [String]
  /// The domain that guests' names are in.
  let domain: String?
  /// The largest packet.
  let mtu: Int64?
  /// What leads to the world.
  let uplink: String?
  /// The inode number of its namespace.
  let namespace: Int64?
  /// Who is plugged in.
  let members: [Member]
  /// The addresses that are given out.
  let leases: [Lease]
  /// The processes that serve it.
  let processes: [ServingProcess]

  /// Reads them off a network.
  init(_ resource: ObservedResource) {
    let (spec, details) = (resource.resource.spec, resource.details)
    directory = details["directory"]?.string
    problem = details["problem"]?.string ?? resource.reason
    subnets = [details["subnet"] ?? spec["subnet"], details["subnet6"]].compactMap { $0?.string }
    gateways = [details["gateway"], details["gateway6"]].compactMap { $0?.string }
    domain = (details["domain"] ?? spec["dns"]?["domain"])?.string
    mtu = details["mtu"]?.integer
    uplink = details["uplink"]?.string ?? spec["bridge"]?.string.map { "bridge \($0)" }
    namespace = details["namespace"]?.integer
    members = (details["members"]?.array ?? []).map(Member.init)
    leases = (details["leases"]?.array ?? []).map(Lease.init)
    processes = (details["processes"]?.array ?? []).map(ServingProcess.init)
  }
}

extension NetworkDetails.Member {
  fileprivate init(_ value: JSONValue) {
    machine = value["machine"]?.string ?? "?"
    interface = value["interface"]?.string ?? "?"
    mac = value["mac"]?.string
    addresses = [value["address"], value["address6"]].compactMap { $0?.string }
    name = value["name"]?.string
    isConnected = value["isConnected"]?.bool ?? true
    isPlugged = value["isPlugged"]?.bool ?? false
    received = value["received"]?.integer
    sent = value["sent"]?.integer
    forwards = []
    for one in value["forwards"]?.array ?? [] {
      guard let guest = one["guest"]?.integer.flatMap({ Int(exactly: $0) }) else { continue }
      let port = MachinePorts.Forward(
        interface: interface, address: one["address"]?.string ?? "127.0.0.1",
        host: one["host"]?.integer.flatMap { Int(exactly: $0) }, guest: guest,
        networkProtocol: one["protocol"]?.string ?? "tcp")
      forwards.append((port, one["problem"]?.string))
    }
  }
}

extension NetworkDetails.Lease {
  fileprivate init(_ value: JSONValue) {
    mac = value["mac"]?.string ?? "?"
    address = value["address"]?.string ?? "?"
    name = value["name"]?.string
    expires = value["expires"]?.integer
  }
}

extension NetworkDetails.ServingProcess {
  fileprivate init(_ value: JSONValue) {
    name = value["name"]?.string ?? "?"
    id = value["pid"]?.integer
    restarts = value["restarts"]?.integer ?? 0
  }
}
