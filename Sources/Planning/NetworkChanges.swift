internal import JSON
internal import Resources

// What a network's change means for the guests on it until they are started again.
extension Comparison {
  /// Who loses what, or has what was there before, until the next boot; nil for nobody.
  func waitingGuests(_ path: String, _ old: Resource, _ new: Resource) -> String? {
    guard let names = use.byNetwork[new.id.name], !names.isEmpty else { return nil }
    let guests = Self.list(names)
    let isOne = names.count == 1
    func sentence(_ one: String, _ many: String) -> String {
      "\(guests) \(isOne ? one : many) until started again"
    }
    let keeps = sentence("keeps what it has", "keep what they have")
    // QEMU itself is the network of a guest, and stays what it is.
    if old.networkMode == .user { return keeps }
    switch path {
    case "mode", "bridge": return sentence("loses the network", "lose the network")
    case "subnet": return sentence("loses its IPv4 address", "lose their IPv4 addresses")
    case "ipv6", "ipv6.enabled", "ipv6.subnet":
      return old.hasIPv6
        ? sentence("loses its IPv6 address", "lose their IPv6 addresses")
        : sentence("has no IPv6 address", "have no IPv6 addresses")
    default: return keeps
    }
  }

  /// Names in a sentence, the first few of many.
  private static func list(_ names: [String]) -> String {
    let shown = names.count <= 6 ? names[...] : names.prefix(5)
    guard shown.count == names.count else {
      return shown.joined(separator: ", ") + " and \(names.count - shown.count) more"
    }
    guard let last = shown.last, shown.count > 1 else { return shown.joined() }
    return shown.dropLast().joined(separator: ", ") + " and " + last
  }
}

extension Resource {
  /// A network's mode.
  var networkMode: NetworkSpecification.Mode? {
    spec["mode"]?.string.flatMap(NetworkSpecification.Mode.init)
  }

  /// Whether a network gives IPv6 addresses.
  fileprivate var hasIPv6: Bool {
    networkMode?.isSegment == true && spec["ipv6"]?["enabled"] != false
  }
}
