public import Diagnostics
internal import JSON

extension NetworkSpecification {
  /// Something that an interface wants and its network doesn't have.
  public struct Misfit: Sendable, Hashable {
    /// The interface's field: `address`, `ports`, `bandwidth`.
    public var field: String
    /// The field of the network that says so.
    public var cause: String
    /// What is wrong with the one and the other.
    public var code: DiagnosticCode
    /// What is wrong, without full stop.
    public var message: String
    /// The way on.
    public var help: String
  }

  /// What of an interface the network can't give.
  ///
  /// - Parameter name: the network's, for the messages.
  public func misfits(
    of interface: MachineSpecification.Interface, inNetwork name: String
  ) -> [Misfit] {
    let absent = missing(for: interface)
    let unfit = absent.map { field, wayOn in
      Misfit(
        field: field, cause: "mode", code: "conflicting-fields",
        message: "Network/\(name) is of mode \(mode.rawValue), which has no '\(field)'", help: wayOn
      )
    }
    let addresses = [
      interface.address.flatMap { IPv4Address($0) }.flatMap { objection(to: $0) }
        .map { ("address", "subnet", $0) },
      interface.address6.flatMap { IPv6Address($0) }.flatMap { objection(to: $0) }
        .map { ("address6", "ipv6.subnet", $0) },
    ].compactMap { $0 }.filter { address in !absent.contains { $0.field == address.0 } }
    let noIPv6 =
      interface.address6 != nil && mode.isSegment && !hasIPv6
      ? [
        Misfit(
          field: "address6", cause: "ipv6.enabled", code: "conflicting-fields",
          message: "Network/\(name) has no IPv6",
          help: "remove 'address6', or switch IPv6 on in Network/\(name)")
      ] : []
    return unfit + noIPv6
      + addresses.map { field, cause, objection in
        Misfit(
          field: field, cause: cause, code: "invalid-value",
          message: "\(objection) of Network/\(name)", help: "choose an address of that network")
      }
  }

  /// The fields that are set and that the mode can't serve, each with the way on.
  private func missing(
    for interface: MachineSpecification.Interface
  ) -> [(field: String, wayOn: String)] {
    func wayOn(_ field: String) -> String { "remove '\(field)', or use a network of mode nat" }
    var found: [(field: String, wayOn: String)] = []
    let isLimited = interface.inboundLimit != nil || interface.outboundLimit != nil
    if mode == .bridge, !interface.ports.isEmpty {
      found.append(("ports", "remove them: the guest is reached at its own address"))
    }
    if mode == .user {
      if interface.address6 != nil { found.append(("address6", wayOn("address6"))) }
      if !interface.securityGroups.isEmpty {
        found.append(("securityGroups", wayOn("securityGroups")))
      }
      if isLimited { found.append(("bandwidth", wayOn("bandwidth"))) }
    }
    return found
  }
}
