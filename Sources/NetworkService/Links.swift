internal import JSON
internal import Networking

/// The interfaces of a namespace, as `ip -json -stats addr show` tells them.
struct LinkState {
  /// The arguments of ip(8) that show them.
  static let arguments = ["-json", "-stats", "addr", "show"]

  struct Address: Hashable, CustomStringConvertible {
    var local: String
    var prefix: Int
    var description: String { "\(local)/\(prefix)" }
  }

  struct Link {
    var name: String
    /// Its hardware address.
    var mac = ""
    var isUp: Bool
    var mtu: Int
    /// The bridge that it is a port of.
    var master: String?
    /// Addresses of more than the link's scope.
    var addresses: [Address] = []
    /// Bytes and packets that the interface received.
    var received: (bytes: UInt64, packets: UInt64) = (0, 0)
    /// Bytes and packets that the interface sent.
    var sent: (bytes: UInt64, packets: UInt64) = (0, 0)
  }

  var links: [Link]

  init(parsing bytes: [UInt8]) throws(NetworkError) {
    do {
      links = try JSONReader(JSONValue(parsing: bytes)).list().compactMap { reader in
        // Newer versions print an empty object for what a filter leaves out.
        guard reader.optional("ifname") != nil else { return nil }
        return try Link(reader)
      }
    } catch {
      throw NetworkError("what 'ip -json addr show' printed makes no sense: \(error)")
    }
  }

  subscript(name: String) -> Link? { links.first { $0.name == name } }
}

extension LinkState.Link {
  fileprivate init(_ reader: JSONReader) throws(JSONShapeError) {
    name = try reader.member("ifname").string()
    mac = try reader.optional("address")?.string() ?? ""
    isUp = try reader.member("flags").strings().contains("UP")
    mtu = try reader.member("mtu").integer(0 ... .max)
    master = try reader.optional("master")?.string()
    for address in try reader.optional("addr_info")?.list() ?? [] {
      guard try address.member("scope").string() == "global" else { continue }
      addresses.append(
        LinkState.Address(
          local: try address.member("local").string(),
          prefix: try address.member("prefixlen").integer(0...128)))
    }
    if let counts = reader.optional("stats64") {
      received = try Self.counts(counts.member("rx"))
      sent = try Self.counts(counts.member("tx"))
    }
  }

  private static func counts(
    _ reader: JSONReader
  ) throws(JSONShapeError) -> (bytes: UInt64, packets: UInt64) {
    (try reader.member("bytes").integer(), try reader.member("packets").integer())
  }
}

/// What a network's interfaces are to be, as lines for `ip -batch -`.
///
/// Only what is not so already is changed: guests notice nothing.
struct LinkPlan {
  private let network: NetworkConfiguration

  init(_ network: NetworkConfiguration) { self.network = network }

  /// The bridge that the taps are ports of.
  var bridge: String { network.bridge ?? PacketRules.bridgeName }

  /// The kernel's settings of interfaces that are there once `bridgeCommands` are carried out.
  var settings: [(file: String, value: String)] {
    guard network.mode != .bridge else { return [] }
    let bridge = "net/ipv6/conf/\(PacketRules.bridgeName)/"
    return [
      // What the uplink announces is taken, although this is a router; what guests announce never.
      ("net/ipv6/conf/default/accept_ra", "2"), (bridge + "accept_ra", "0"),
      (bridge + "disable_ipv6", network.segment6 == nil ? "1" : "0"),
    ]
  }

  /// Makes the bridge; in mode bridge it must be there.
  func bridgeCommands(_ state: LinkState) throws(NetworkError) -> [String] {
    guard network.mode != .bridge else {
      if state[bridge] == nil {
        throw NetworkError(
          "network '\(network.name)': the host has no bridge '\(bridge)'; make it, or name another")
      }
      return []
    }
    var commands: [String] = []
    if state["lo"]?.isUp != true { commands.append("link set dev lo up") }
    if state[bridge] == nil {
      commands.append(
        "link add name \(bridge) address \(network.bridgeMAC) type bridge stp_state 0 forward_delay 0 "
          + "mcast_snooping 0")
    }
    if let link = state[bridge], link.mac != network.bridgeMAC {
      commands.append("link set dev \(bridge) address \(network.bridgeMAC)")
    }
    if state[bridge]?.mtu != network.mtu {
      commands.append("link set dev \(bridge) mtu \(network.mtu)")
    }
    if state[bridge]?.isUp != true { commands.append("link set dev \(bridge) up") }
    return commands
  }

  /// Gives the bridge its addresses and takes others away.
  func addressCommands(_ state: LinkState) -> [String] {
    guard network.mode != .bridge else { return [] }
    let wanted = [network.segment, network.segment6].compactMap { segment in
      segment.map { LinkState.Address(local: $0.gateway, prefix: $0.prefix) }
    }
    let present = state[bridge]?.addresses ?? []
    let superfluous = present.filter { !wanted.contains($0) }
    let missing = wanted.filter { !present.contains($0) }
    return superfluous.map { "addr del \($0) dev \(bridge)" }
      + missing.map { address in
        // Nobody else can have it: the rules see to that.
        let options = address.local.contains(":") ? " nodad" : ""
        return "addr add \(address) dev \(bridge)\(options)"
      }
  }

  /// Joins the taps that are there, and removes those of ports that the network has no more.
  ///
  /// - Parameter dropped: taps of ports that were taken from the configuration; on a bridge of the
  ///   host others' taps look the same.
  func tapCommands(_ state: LinkState, dropped: [String] = []) -> [String] {
    let wanted = Set(network.ports.map(\.tap))
    let superfluous = state.links.map(\.name).filter { name in
      guard !wanted.contains(name) else { return false }
      return dropped.contains(name)
        || network.mode != .bridge && name.hasPrefix("ing") && state[name]?.master == bridge
    }
    return superfluous.map { "link del dev \($0)" }
      + network.ports.flatMap { port in state[port.tap].map { commands(for: port, $0) } ?? [] }
  }

  /// Joins a new tap.
  func commands(for port: NetworkConfiguration.Port) -> [String] {
    commands(for: port, LinkState.Link(name: port.tap, isUp: false, mtu: 0, master: nil))
  }

  private func commands(for port: NetworkConfiguration.Port, _ link: LinkState.Link) -> [String] {
    var commands: [String] = []
    let device = "link set dev \(port.tap)"
    if link.master != bridge {
      // The host's end of a tap needs no address.
      commands += ["\(device) addrgenmode none", "\(device) master \(bridge)"]
    }
    if network.mode != .bridge, link.mtu != network.mtu {
      commands.append("\(device) mtu \(network.mtu)")
    }
    if link.isUp != port.isConnected {
      commands.append("\(device) \(port.isConnected ? "up" : "down")")
    }
    return commands
  }
}

extension NetworkConfiguration.Segment {
  /// The bits that name the network; the configuration was checked.
  var prefix: Int { network.split(separator: "/").last.flatMap { Int($0) } ?? 0 }
}
