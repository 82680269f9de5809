internal import EngineInterface
internal import JSON
internal import Resources

/// What running guests use beside themselves; found out when first asked for, for most plans never
/// ask.
final class GuestUse {
  private let observed: ObservedState

  init(_ observed: ObservedState) { self.observed = observed }

  /// The addresses of pools, networks, images and volumes of running guests, pools above included.
  private(set) lazy var ids: Set<ResourceID> = {
    var ids: Set<ResourceID> = []
    var parents: [ResourceID: ResourceID] = [:]
    for stored in observed.resources {
      if stored.resource.id.kind == .resourcePool {
        parents[stored.resource.id] = stored.resource.references.first?.target
      }
      guard stored.machine?.state.hasGuest == true else { continue }
      for reference in stored.resource.references {
        var next: ResourceID? = reference.target
        while let id = next, ids.insert(id).inserted { next = parents[id] }
      }
    }
    return ids
  }()

  /// The machines whose guests run on a network, by its name, in the order of addresses.
  private(set) lazy var byNetwork: [String: [String]] = {
    var machines: [String: [String]] = [:]
    for stored in observed.resources where stored.machine?.state.hasGuest == true {
      let left = stored.machine?.networksLeft ?? []
      for network in stored.resource.networkNames.union(left) {
        machines[network, default: []].append(stored.resource.id.name)
      }
    }
    return machines
  }()
}

extension Candidate {
  /// The networks that a running guest is taken off by its next boot alone.
  var networksLeft: Set<String> {
    guard let machine = stored?.machine, machine.state.hasGuest, let outcome else { return [] }
    let left = Set(machine.networksLeft)
    if isRefused { return left }
    guard action.effect < .restart else { return [] }
    let waiting = (stored?.resource.spec["interfaces"]?.array ?? []).compactMap { interface in
      let path = "interfaces[\(interface["name"]?.string ?? "")]"
      let waits = action.changes.contains { change in
        change.effect == .nextBoot && (change.path == path || change.path == path + ".network")
      }
      return waits ? interface["network"]?.string : nil
    }
    return left.union(waiting).subtracting(outcome.networkNames)
  }
}
