internal import Diagnostics
internal import EngineInterface
internal import Resources

/// Who has what only one can have.
struct ClaimTable {
  private var owners: [Claim: [(claim: Claim, owner: ResourceID?)]] = [:]
  /// Networks that give each machine a segment of its own, where equal addresses don't meet.
  private let separate: Set<String>

  init(separateNetworks: Set<String>, host: HostCapacity, ours: Set<Claim>) {
    separate = separateNetworks
    for text in host.portsInUse {
      guard let claim = Claim(portInUse: text),
        !ours.contains(where: { $0.key == claim.key && $0.excludes(claim) })
      else { continue }
      owners[claim.key, default: []].append((claim, nil))
    }
  }

  /// Takes all that a machine claims, whoever else may have it.
  mutating func take(_ resource: Resource, runs: Bool) {
    for site in relevant(resource, runs: runs) {
      owners[site.claim.key, default: []].append((site.claim, resource.id))
    }
  }

  /// What of a machine's claims another has already.
  func conflicts(of resource: Resource, runs: Bool) -> [Diagnostic] {
    relevant(resource, runs: runs).compactMap { site in
      guard
        let other = owners[site.claim.key]?.first(where: {
          $0.owner != resource.id && $0.claim.excludes(site.claim)
        })
      else { return nil }
      let owner = other.owner?.description ?? "another program on the host"
      return Diagnostic(
        DiagnosticCode(rawValue: site.claim.code), "\(site.claim.text) is in use by \(owner)",
        path: site.path, at: resource.place(of: site.path), help: help(site.claim, other.owner))
    }
  }

  private func relevant(_ resource: Resource, runs: Bool) -> [ClaimSite] {
    resource.claims.filter { site in
      switch site.claim {
      case .address(let network, _): !separate.contains(network)
      // A disk is in danger only while two guests write to it.
      case .volume: runs
      case .mac, .port: true
      }
    }
  }

  private func help(_ claim: Claim, _ owner: ResourceID?) -> String {
    switch claim {
    case .mac: "choose another one, or leave 'mac' out"
    case .address: "choose another one, or leave 'address' out"
    case .port: "choose another one, or leave 'host' out"
    case .volume:
      "declare a volume of its own, or 'runStrategy: Halted' for \(owner?.description ?? "one")"
    }
  }
}
