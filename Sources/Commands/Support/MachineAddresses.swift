internal import EngineInterface
internal import JSON
internal import Resources

/// Which addresses a machine has on which interface.
enum MachineAddresses {
  /// The interfaces of a machine with what is known of them.
  static func interfaces(
    _ resource: ObservedResource, _ spec: MachineSpecification
  ) -> [HostMap.Interface] {
    let told = resource.details["interfaces"]?.array ?? []
    let forwards = MachinePorts.forwards(resource)
    return spec.interfaces.map { interface in
      let one = told.first { $0["name"]?.string == interface.name }
      var addresses = [one?["address"], one?["address6"]].compactMap { $0?.string }
      if addresses.isEmpty { addresses = interface.address.map { [$0] } ?? [] }
      // What the guest tells names no interface, so it is good where there is one.
      if addresses.isEmpty, spec.interfaces.count == 1 {
        addresses = reachable(resource)
      }
      return HostMap.Interface(
        name: interface.name, network: one?["network"]?.string ?? interface.network,
        mac: one?["mac"]?.string ?? interface.mac, addresses: addresses,
        isConnected: interface.isConnected,
        ports: forwards.filter { $0.interface == interface.name })
    }
  }

  /// The addresses of a machine that are good for more than its own link.
  static func reachable(_ resource: ObservedResource) -> [String] {
    (resource.machine?.addresses ?? []).filter { !isLinkLocal($0) }
  }

  /// Whether an address is good on its own link only: `fe80::/10` (RFC 4291), and the site-local
  /// `fec0::/10` that QEMU's user networking gives each guest.
  private static func isLinkLocal(_ address: String) -> Bool {
    ["fe8", "fe9", "fea", "feb", "fec"].contains { address.hasPrefix($0) }
  }
}
