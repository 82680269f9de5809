internal import EngineInterface
internal import GRDB
internal import JSON
internal import Monitor
internal import Networking
internal import QEMU
internal import Resources

/// A machine's network cards as its next start is to have them.
struct CardFacts {
  private(set) var interfaces: [MachineSpec.Interface] = []
  /// Where the guest can be reached that no forward of QEMU's leads to, in the interfaces' order.
  private var places: [(address: String, way: Monitor.Probe.Way)] = []

  init() {}

  init(
    _ db: Database, _ spec: MachineSpecification, uid: String, on networks: NetworkDefinitions,
    in engine: EmbeddedEngine
  ) throws {
    let macs = try Allocation.all(db, .mac, owner: uid)
    let ports = try Allocation.all(db, .port, owner: uid)
    let addresses = try Allocation.all(db, .address, owner: uid)
    let forwards = spec.forwards { networks.mode(of: $0.name) == .user }
    for interface in spec.interfaces {
      let network = try NetworkSpecification(networks.byInterface[interface.name] ?? [:])
      guard let mac = macs[interface.name] else {
        throw corruptRow("allocations", "the MAC of \(uid)/\(interface.name) is missing")
      }
      let backend: MachineSpec.Interface.Backend
      if network.mode == .user {
        let own = forwards.filter { $0.interface == interface.name }.map(\.port)
        backend = .user(
          subnet: network.subnet,
          guestAddress: interface.address ?? network.firstGuestAddress, domain: network.domain,
          forwards: try own.map { try Self.forward($0, ports[$0.slot(of: interface.name)]) })
      } else {
        let on = try StoredNetwork(db, interface.network, about: network)
        let directory = engine.home.network(on.uid)
        backend = .tap(
          network: directory, port: portID(uid, interface.name),
          mtu: network.mtu ?? NetworkConfiguration.defaultMTU)
        if let address = on.address(in: addresses[on.slot(of: interface.name)]) {
          places.append((address, .network(directory)))
        } else if network.mode == .bridge, let address = interface.address {
          places.append((address, .host))
        }
      }
      interfaces.append(
        MachineSpec.Interface(
          id: interface.netNode, mac: mac, backend: backend, isConnected: interface.isConnected))
    }
  }

  private static func forward(
    _ port: MachineSpecification.PortForward, _ value: String?
  ) throws -> MachineSpec.HostForward {
    guard let text = value?.split(separator: ":").last, let host = UInt16(text),
      let guest = UInt16(exactly: port.guest)
    else { throw corruptRow("allocations", "the host port of guest port \(port.guest) is missing") }
    return MachineSpec.HostForward(
      transport: port.networkProtocol == "udp" ? .udp : .tcp, hostAddress: port.address,
      hostPort: host, guestPort: guest)
  }

  /// Whether any leads into a network outside QEMU.
  var haveTaps: Bool { interfaces.contains { $0.tap != nil } }

  /// How a probe asks a TCP port of the guest; nil where nothing leads there.
  func way(to port: Int) -> Monitor.Probe.Check? {
    guard let number = UInt16(exactly: port) else { return nil }
    let forward = interfaces.flatMap(\.forwards).first {
      $0.transport == .tcp && $0.guestPort == number
    }
    if let forward {
      let address = forward.hostAddress == "0.0.0.0" ? "127.0.0.1" : forward.hostAddress
      return .tcp(address: address, port: forward.hostPort, through: .userNetwork)
    }
    return places.first.map { .tcp(address: $0.address, port: number, through: $0.way) }
  }
}

extension NetworkSpecification {
  /// The address that DHCP gives the one guest of a user network; nil leaves it to QEMU, which takes
  /// the 15th and so, in a small network, the one for broadcasts.
  fileprivate var firstGuestAddress: String? {
    if let first = dhcpRange.first { return first }
    guard let network = subnet.flatMap({ IPv4Network($0) }), network.prefix > 27 else { return nil }
    return IPv4Address(value: network.first.value + 4).description
  }
}

extension MachineSpecification.Interface {
  /// Its name in QMP.
  var netNode: String { "net-\(name)" }
}
