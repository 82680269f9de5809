internal import EngineInterface
internal import JSON
internal import Resources

/// The host's ports that lead into a machine.
enum MachinePorts {
  /// One forward.
  struct Forward: Hashable {
    /// The name of the machine's interface.
    var interface: String
    /// The host's address.
    var address: String
    /// The host's port; nil where none is allocated yet.
    var host: Int?
    /// The guest's port.
    var guest: Int
    /// `tcp` or `udp`.
    var networkProtocol: String

    /// Describes one.
    init(
      interface: String, address: String, host: Int?, guest: Int, networkProtocol: String
    ) {
      self.interface = interface
      self.address = address
      self.host = host
      self.guest = guest
      self.networkProtocol = networkProtocol
    }

    /// Reads one as the engine tells it: `lan/tcp/80` is led to by `tcp:127.0.0.1:8080`.
    init?(slot: String, hostPort: String) {
      let guest = slot.split(separator: "/")
      let host = hostPort.split(separator: ":")
      guard guest.count == 3, host.count == 3, let guestPort = Int(guest[2]),
        let port = Int(host[2])
      else { return nil }
      self.init(
        interface: String(guest[0]), address: String(host[1]), host: port, guest: guestPort,
        networkProtocol: String(guest[1]))
    }

    /// `8080->80`, with the host's address where it isn't the loopback, and `/udp` where it is that.
    var text: String {
      let shown = address == "127.0.0.1" ? "" : "\(address):"
      let suffix = networkProtocol == "tcp" ? "" : "/\(networkProtocol)"
      return "\(shown)\(host.map(String.init) ?? "?")->\(guest)\(suffix)"
    }
  }

  /// The forwards of a machine: as the engine allocated them, else as declared.
  static func forwards(_ resource: ObservedResource) -> [Forward] {
    let allocated = resource.details["ports"]?.object?.members ?? []
    if !allocated.isEmpty {
      return allocated.compactMap { member in
        member.value.string.flatMap { Forward(slot: member.name, hostPort: $0) }
      }
    }
    // A record that doesn't read is `describe`'s to show; the table just has no ports then.
    let specification = try? MachineSpecification(resource.resource.spec)
    return (specification?.interfaces ?? []).flatMap { interface in
      interface.ports.map {
        Forward(
          interface: interface.name, address: $0.address, host: $0.host, guest: $0.guest,
          networkProtocol: $0.networkProtocol)
      }
    }
  }

  /// All forwards of a machine in a few letters each.
  static func texts(_ resource: ObservedResource) -> [String] { forwards(resource).map(\.text) }
}
