internal import JSON

/// The map as data: networks, pools and machines, flat, each naming what it is in.
struct MapJSON {
  private let map: HostMap

  /// Draws a map.
  init(_ map: HostMap) { self.map = map }

  /// The value.
  var value: JSONValue {
    let pools = map.host.pools.flatMap { flat($0, in: nil) }
    return [
      "format_version": "1.0",
      "host": ["name": .string(map.host.name), "facts": texts(map.host.facts)],
      "networks": .array(map.networks.map(json)),
      "pools": .array(
        pools.map { pool, parent in
          [
            "name": .string(pool.name), "parent": JSONValue(parent), "facts": texts(pool.facts),
          ]
        }),
      "machines": .array(
        map.host.machines.map { json($0, in: nil) }
          + pools.flatMap { pool, _ in pool.machines.map { json($0, in: pool.name) } }),
    ]
  }

  private func flat(
    _ pool: HostMap.Pool, in parent: String?
  ) -> [(HostMap.Pool, String?)] {
    [(pool, parent)] + pool.pools.flatMap { flat($0, in: pool.name) }
  }

  private func json(_ network: HostMap.Network) -> JSONValue {
    [
      "name": .string(network.name), "mode": .string(network.mode),
      "state": .string(network.state.text), "problem": JSONValue(network.problem),
      "subnets": texts(network.subnets), "gateways": texts(network.gateways),
      "uplink": JSONValue(network.uplink),
    ]
  }

  private func json(_ machine: HostMap.Machine, in pool: String?) -> JSONValue {
    [
      "name": .string(machine.name), "pool": JSONValue(pool),
      "state": .string(machine.state.text), "ready": .bool(machine.isReady),
      "cpus": .integer(Int64(machine.cpus)), "memory": .integer(machine.memory),
      "image": JSONValue(machine.image),
      "disks": .array(
        machine.disks.map { disk in
          [
            "name": .string(disk.name), "volume": JSONValue(disk.volume),
            "size": disk.size.map(JSONValue.integer) ?? .null,
          ]
        }),
      "interfaces": .array(machine.interfaces.map(json)),
    ]
  }

  private func json(_ interface: HostMap.Interface) -> JSONValue {
    [
      "name": .string(interface.name), "network": .string(interface.network),
      "mac": JSONValue(interface.mac), "addresses": texts(interface.addresses),
      "connected": .bool(interface.isConnected),
      "ports": .array(
        interface.ports.map { port in
          [
            "protocol": .string(port.networkProtocol), "address": .string(port.address),
            "host": JSONValue(port.host), "guest": .integer(Int64(port.guest)),
          ]
        }),
    ]
  }

  private func texts(_ texts: [String]) -> JSONValue { .array(texts.map(JSONValue.string)) }
}
