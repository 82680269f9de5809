internal import JSON
internal import Resources

/// Something that one machine alone can have.
enum Claim: Hashable {
  case mac(String)
  /// An address within a network.
  case address(network: String, String)
  /// A port of the host.
  case port(networkProtocol: String, address: String, Int64)
  case volume(String)

  /// What is claimed, for messages.
  var text: String {
    switch self {
    case .mac(let mac): "MAC address \(mac)"
    case .address(let network, let address): "address \(address) in Network/\(network)"
    case .port(let networkProtocol, let address, let port):
      "\(networkProtocol) port \(address):\(port) of the host"
    case .volume(let name): "Volume/\(name)"
    }
  }

  /// The code of the diagnostic where two claim it.
  var code: String {
    switch self {
    case .mac: "duplicate-mac"
    case .address: "duplicate-address"
    case .port: "duplicate-port"
    case .volume: "duplicate-volume"
    }
  }

  /// The claims that exclude this one, as the keys under which they are kept: a port on all
  /// addresses excludes the port on any.
  var key: Claim {
    if case .port(let networkProtocol, _, let port) = self {
      return .port(networkProtocol: networkProtocol, address: "", port)
    }
    return self
  }

  /// Whether two claims with one key exclude each other.
  func excludes(_ other: Claim) -> Bool {
    guard case .port(_, let address, _) = self, case .port(_, let another, _) = other else {
      return true
    }
    return address == another || Claim.isWildcard(address) || Claim.isWildcard(another)
  }

  private static func isWildcard(_ address: String) -> Bool {
    ["0.0.0.0", "*", "::", "[::]", ""].contains(address)
  }

  /// Reads `tcp:127.0.0.1:8080`; nil for anything else.
  init?(portInUse text: String) {
    guard let first = text.firstIndex(of: ":"), let last = text.lastIndex(of: ":"), first < last,
      let port = Int64(text[text.index(after: last)...])
    else { return nil }
    self = .port(
      networkProtocol: String(text[..<first]),
      address: String(text[text.index(after: first)..<last]), port)
  }

}

/// A claim and the field that makes it.
struct ClaimSite {
  var claim: Claim
  var path: String
  /// The network whose guests a port of the host leads to.
  var network: String?
}

extension Resource {
  /// What a machine claims for itself, in the order of its specification.
  var claims: [ClaimSite] {
    guard id.kind == .virtualMachine else { return [] }
    var found: [ClaimSite] = []
    for disk in spec["disks"]?.array ?? [] {
      guard let volume = disk["volume"]?.string else { continue }
      let name = disk["name"]?.string ?? ""
      found.append(ClaimSite(claim: .volume(volume), path: "spec.disks[\(name)].volume"))
    }
    for interface in spec["interfaces"]?.array ?? [] {
      let path = "spec.interfaces[\(interface["name"]?.string ?? "")]"
      let network = interface["network"]?.string ?? "default"
      if let mac = interface["mac"]?.string {
        found.append(ClaimSite(claim: .mac(mac), path: path + ".mac"))
      }
      for field in ["address", "address6"] {
        guard let address = interface[field]?.string else { continue }
        found.append(
          ClaimSite(claim: .address(network: network, address), path: "\(path).\(field)"))
      }
      for port in interface["ports"]?.array ?? [] {
        guard let host = port["host"]?.integer, let guest = port["guest"]?.integer else { continue }
        let name = port["protocol"]?.string ?? "tcp"
        found.append(
          ClaimSite(
            claim: .port(
              networkProtocol: name, address: port["address"]?.string ?? "127.0.0.1", host),
            path: path + ".ports[\(guest)/\(name)].host", network: network))
      }
    }
    return found
  }
}
