internal import Networking
internal import SystemIO

/// A forward with what it leads to.
struct ForwardTarget: Hashable {
  /// What tells listeners apart.
  struct Key: Hashable {
    let transport: NetworkConfiguration.Transport
    let endpoint: InternetEndpoint
  }

  let key: Key
  /// The id of the port it leads to.
  let port: String
  let forward: NetworkConfiguration.Forward
  /// The guest's address.
  let address: String
  /// What may come in there; nil means everything.
  let ingress: [NetworkConfiguration.Rule]?

  /// Nil where the port has no address, or the forward none of the host.
  init?(_ forward: NetworkConfiguration.Forward, of port: NetworkConfiguration.Port) {
    guard let host = InternetAddress(forward.hostAddress) else { return nil }
    let addresses = [port.address, port.address6].compactMap { $0 }
    // Of the family that is listened on, where the guest has it.
    guard let address = host.isIPv6 ? addresses.last : addresses.first else { return nil }
    key = Key(
      transport: forward.transport, endpoint: InternetEndpoint(host, forward.hostPort))
    self.port = port.id
    self.forward = forward
    self.address = address
    ingress = port.filter?.ingress
  }

  /// Whether the guest's filter lets a client of the host in; inside it is the gateway that comes.
  func admits(_ client: InternetAddress) -> Bool {
    guard let ingress else { return true }
    return ingress.contains { rule in
      rule.names(forward.transport)
        && (rule.ports.isEmpty || rule.ports.contains { $0.contains(forward.guestPort) })
        && (rule.peers.isEmpty
          || rule.peers.contains { InternetNetwork($0)?.contains(client) == true })
    }
  }
}

extension NetworkConfiguration.Rule {
  fileprivate func names(_ transport: NetworkConfiguration.Transport) -> Bool {
    switch self.protocol {
    case .any: true
    case .tcp: transport == .tcp
    case .udp: transport == .udp
    case .icmp: false
    }
  }
}
