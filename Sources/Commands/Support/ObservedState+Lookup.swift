internal import Diagnostics
internal import EngineInterface
internal import JSON
internal import Resources

extension ObservedState {
  /// One resource.
  ///
  /// - Throws: `Failure` with the nearest name where there is none.
  func resource(_ id: ResourceID) throws -> ObservedResource {
    if let found = resources.first(where: { $0.resource.id == id }) { return found }
    let names = resources.filter { $0.resource.id.kind == id.kind }.map(\.resource.id.name)
    let near = nearest(to: id.name, among: names).map { "did you mean \(id.kind.shortName)/\($0)?" }
    throw Failure(
      "there is no \(id)", help: near ?? "`ingot get \(id.kind.shortName)` lists what there is")
  }

  /// The resources of a kind, or the named ones of it.
  func resources(of kind: Kind, names: [String]) throws -> [ObservedResource] {
    guard names.isEmpty else { return try names.map { try resource(ResourceID(kind, $0)) } }
    return resources.filter { $0.resource.id.kind == kind }
  }

  /// The names of the machines that use a volume, by its name.
  var volumeUsers: [String: [String]] {
    var users: [String: [String]] = [:]
    for observed in resources where observed.resource.id.kind == .virtualMachine {
      for disk in observed.resource.spec["disks"]?.array ?? [] {
        if let volume = disk["volume"]?.string {
          users[volume, default: []].append(observed.resource.id.name)
        }
      }
    }
    return users
  }

  /// The names of the machines that are plugged into a network, by its name.
  var networkUsers: [String: [String]] {
    var users: [String: [String]] = [:]
    for observed in resources where observed.resource.id.kind == .virtualMachine {
      let networks = (observed.resource.spec["interfaces"]?.array ?? []).compactMap {
        $0["network"]?.string
      }
      for network in Set(networks) {
        users[network, default: []].append(observed.resource.id.name)
      }
    }
    return users
  }
}
