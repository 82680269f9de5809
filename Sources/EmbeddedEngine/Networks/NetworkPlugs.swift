internal import Networking
internal import Resources

/// The interfaces that are plugged into a network, in the order of their machines' names.
///
/// Those of halted machines are among them, and those that a running guest still has though they
/// are no longer declared.
struct NetworkPlugs {
  /// One interface.
  struct Plug {
    var machine: StoredResource
    var interface: MachineSpecification.Interface
    var mac: String
    var address: String?
    var address6: String?
    var hostName: String
    var forwards: [NetworkConfiguration.Forward]
    /// Whether a guest is up that is on the network by it.
    var isUp: Bool

    /// `MACHINEUID/INTERFACE`.
    var id: String { portID(machine.uid, interface.name) }
  }

  private(set) var plugs: [Plug] = []

  init(_ network: StoredNetwork, _ rows: PlugRows) throws {
    var names: Set<String> = []
    for row in rows.machines(on: network.id.name) {
      let found = try Self.interfaces(of: row, on: network, rows)
      // A name for a machine, which its first interface has on each network.
      for (index, plug) in found.enumerated() {
        var plug = plug
        plug.hostName = index == 0 ? row.id.name : Self.label(row.id.name, plug.interface.name)
        // Another machine may be called that.
        while !names.insert(plug.hostName).inserted {
          plug.hostName = Self.label(plug.hostName, Self.digest(plug.id + plug.hostName))
        }
        plugs.append(plug)
      }
    }
  }

  private static func interfaces(
    of row: StoredResource, on network: StoredNetwork, _ rows: PlugRows
  ) throws -> [Plug] {
    let machine = rows.state(of: row.uid)
    let isUp = machine.map { !$0.isDown } ?? false
    let declared = try rows.declared(row)
    var interfaces = declared.filter { $0.network == network.id.name }
    let running = try machine?.heldSpec?.interfaces
    let here = running.map { interfaces in
      Set(interfaces.filter { $0.network == network.id.name }.map(\.name))
    }
    for left in running ?? [] where left.network == network.id.name {
      if interfaces.contains(where: { $0.name == left.name }) { continue }
      // But for where it is, a card that is about to be on another network is what is declared.
      interfaces.append(declared.first { $0.name == left.name } ?? left)
    }
    if interfaces.isEmpty { return [] }
    let given = Given(
      macs: rows.given(.mac, row.uid), addresses: rows.given(.address, row.uid),
      ports: rows.given(.port, row.uid), isUp: isUp)
    return try interfaces.compactMap { interface in
      let isHere = here?.contains(interface.name) ?? true
      return try plug(interface, of: row, given, on: network, isHere: isHere)
    }
  }

  /// What a machine has been given.
  private struct Given {
    var macs: [String: String]
    var addresses: [String: String]
    var ports: [String: String]
    var isUp: Bool

    /// What is in effect: in a running guest, what it was started with.
    func value(_ values: [String: String], _ slot: String) -> String? {
      (isUp ? values[slot + Allocation.outgoing] : nil) ?? values[slot]
    }
  }

  /// - Parameter isHere: whether a guest that is up has it on this network by now; else it comes with
  ///   the next boot.
  private static func plug(
    _ interface: MachineSpecification.Interface, of row: StoredResource, _ given: Given,
    on network: StoredNetwork, isHere: Bool
  ) throws -> Plug? {
    // An act under way is taking it away.
    guard let mac = given.value(given.macs, interface.name) else { return nil }
    var plug = Plug(
      machine: row, interface: interface, mac: mac, hostName: "", forwards: [],
      isUp: given.isUp && isHere)
    if let subnets = network.subnets {
      func address(_ slot: String, _ fits: (String) -> Bool) -> String? {
        // What a guest has from before its network was given another range is of no use there.
        [given.value(given.addresses, slot), given.addresses[slot]]
          .compactMap { network.address(in: $0) }.first(where: fits)
      }
      plug.address = address(network.slot(of: interface.name)) {
        IPv4Address($0).map(subnets.network.isHost) ?? false
      }
      if network.spec.hasIPv6 {
        plug.address6 = address(network.slot6(of: interface.name)) {
          IPv6Address($0).map(subnets.network6.isHost) ?? false
        }
      }
      if plug.address == nil { return nil }
      // A port of the host leads to one place.
      if !isHere { return plug }
      plug.forwards = try interface.ports.compactMap {
        try forward($0, given.ports[$0.slot(of: interface.name)])
      }
    }
    return plug
  }

  /// - Returns: nil where it has been given no port, as one that is no longer declared.
  private static func forward(
    _ port: MachineSpecification.PortForward, _ value: String?
  ) throws -> NetworkConfiguration.Forward? {
    guard let text = value?.split(separator: ":").last else { return nil }
    guard let host = UInt16(text), let guest = UInt16(exactly: port.guest) else {
      throw corruptRow("allocations", "the host port of guest port \(port.guest) is '\(text)'")
    }
    return NetworkConfiguration.Forward(
      port.networkProtocol == "udp" ? .udp : .tcp, hostAddress: port.address, hostPort: host,
      guestPort: guest)
  }

  /// Two names in one label, which has 63 characters at most.
  private static func label(_ name: String, _ part: String) -> String {
    let joined = "\(name)-\(part)"
    return joined.utf8.count <= 63 ? joined : "\(name.prefix(46))-\(digest(joined))"
  }

  private static func digest(_ text: String) -> String { String(fnv1a(text.utf8), radix: 16) }
}

/// The name that a network has for an interface of a machine.
func portID(_ machine: String, _ interface: String) -> String { "\(machine)/\(interface)" }
