internal import EngineInterface
internal import JSON
internal import Resources

/// The host's ports that lead into a machine.
enum MachinePorts {
  /// One forward.
  struct Forward: Hashable {
    /// The host's address.
    var address: String
    /// The host's port; nil where none is allocated yet.
    var host: Int?
    /// The guest's port.
    var guest: Int
    /// `tcp` or `udp`.
    var networkProtocol: String
  }

  /// The forwards of a machine: as the engine allocated them, else as declared.
  static func forwards(_ resource: ObservedResource) -> [Forward] {
    if let allocated = resource.details["ports"]?.array, !allocated.isEmpty {
      return allocated.compactMap { port in
        guard let guest = port["guest"]?.integer.flatMap({ Int(exactly: $0) }) else { return nil }
        return Forward(
          address: port["address"]?.string ?? "127.0.0.1",
          host: port["host"]?.integer.flatMap { Int(exactly: $0) }, guest: guest,
          networkProtocol: port["protocol"]?.string ?? "tcp")
      }
    }
    // A record that doesn't read is `describe`'s to show; the table just has no ports then.
    let specification = try? MachineSpecification(resource.resource.spec)
    return (specification?.interfaces ?? []).flatMap(\.ports).map {
      Forward(
        address: $0.address, host: $0.host, guest: $0.guest, networkProtocol: $0.networkProtocol)
    }
  }

  /// `8080->80`, with the host's address where it isn't the loopback, and `/udp` where it is that.
  static func texts(_ resource: ObservedResource) -> [String] {
    forwards(resource).map { forward in
      let address = forward.address == "127.0.0.1" ? "" : "\(forward.address):"
      let host = forward.host.map(String.init) ?? "?"
      let suffix = forward.networkProtocol == "tcp" ? "" : "/\(forward.networkProtocol)"
      return "\(address)\(host)->\(forward.guest)\(suffix)"
    }
  }
}
