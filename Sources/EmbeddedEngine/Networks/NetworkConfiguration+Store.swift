internal import EngineInterface
internal import GRDB
internal import Networking
internal import Resources

extension NetworkConfiguration {
  /// The largest packet where nothing is said: that of Ethernet, for what leaves the host has to
  /// get through others' networks too.
  static let defaultMTU = 1500

  /// What a network is to be by the store.
  ///
  /// - Parameter rows: what is plugged into it; nil reads that.
  init(_ db: Database, _ network: StoredNetwork, _ rows: PlugRows? = nil) throws {
    let spec = network.spec
    guard let mode = Mode(rawValue: spec.mode.rawValue) else {
      throw EngineError("invalid", "\(network.id) is of mode user, which has no configuration")
    }
    let plugs = try NetworkPlugs(network, rows ?? PlugRows(db, of: [network])).plugs
    let filters = try NetworkFilters(db, of: plugs)
    self.init(
      name: network.id.name, mode: mode, bridge: spec.bridge,
      uplink: mode == .nat ? Uplink(network.subnets?.uplink) : .none,
      segment: network.subnets.map {
        Segment(network: "\($0.network)", gateway: "\($0.network.gateway)")
      },
      segment6: network.subnets.flatMap {
        spec.hasIPv6
          ? Segment(network: "\($0.network6)", gateway: "\($0.network6.gateway)") : nil
      }, domain: spec.domain,
      hosts: spec.hosts.map { HostRecord(name: $0.name, addresses: $0.addresses) },
      forwarders: spec.forwarders, mtu: spec.mtu ?? Self.defaultMTU,
      ports: plugs.map { plug in
        Port(
          id: plug.id, mac: plug.mac, address: plug.address, address6: plug.address6,
          hostName: plug.hostName, isConnected: plug.interface.isConnected,
          forwards: plug.forwards, filter: filters.filter(of: plug.interface),
          inbound: plug.interface.inboundLimit.map { Int(clamping: $0) },
          outbound: plug.interface.outboundLimit.map { Int(clamping: $0) })
      })
  }
}

extension NetworkConfiguration.Uplink {
  /// Root's way out by a pair of addresses; without one that of an ordinary user.
  fileprivate init(_ pair: IPv4Network?) {
    guard let first = pair?.first.value else {
      self = .userMode
      return
    }
    self = .veth(
      host: "\(IPv4Address(value: first + 1))", guest: "\(IPv4Address(value: first + 2))")
  }
}
