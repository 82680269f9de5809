internal import GRDB
internal import JSON
internal import Resources

/// The rows that tell what is plugged into networks, read at once for all networks that are asked
/// for.
struct PlugRows {
  private var machines: [ResourceID: StoredResource] = [:]
  /// By network.
  private var users: [String: Set<ResourceID>] = [:]
  private var states: [String: StoredMachine] = [:]
  /// What acts under way bring machines to.
  private var pending: [ResourceID: JSONValue] = [:]
  private var allocations: [Allocation.Sort: [String: [String: String]]] = [:]

  /// - Parameter networks: those whose machines are read.
  init(_ db: Database, of networks: [StoredNetwork]) throws {
    if networks.isEmpty { return }
    for intent in try Intent.all(db) where intent.id.kind == .virtualMachine {
      pending[intent.id] = intent.data["spec"]
    }
    for network in networks {
      let name = network.id.name
      let coming = pending.filter { _, spec in
        (spec["interfaces"]?.array ?? []).contains { $0["network"]?.string == name }
      }.keys
      let there = try StoredResource.require(db, network.id).users(db)
        .filter { $0.kind == .virtualMachine }
      users[name] = Set(there).union(coming)
    }
    for machine in try StoredMachine.changedWhileUp(db) {
      guard let spec = try machine.heldSpec,
        let id = try StoredResource.address(db, uid: machine.uid)
      else { continue }
      for name in Set(spec.interfaces.map(\.network)) { users[name]?.insert(id) }
    }
    for id in Set(users.values.flatMap { $0 }) {
      machines[id] = try StoredResource.find(db, id)
    }
    if machines.isEmpty { return }
    states = try StoredMachine.all(db)
    for sort in [Allocation.Sort.mac, .address, .port] {
      for (owner, slot, value) in try Allocation.all(db, sort) {
        allocations[sort, default: [:]][owner, default: [:]][slot] = value
      }
    }
  }

  /// The machines that refer to a network, or are about to, or have a guest that still is on it;
  /// sorted by name.
  func machines(on network: String) -> [StoredResource] {
    (users[network] ?? []).sorted().compactMap { machines[$0] }
  }

  func state(of uid: String) -> StoredMachine? { states[uid] }

  /// The interfaces that a machine is to have.
  func declared(_ row: StoredResource) throws -> [MachineSpecification.Interface] {
    let spec = pending[row.id] ?? row.resource.spec
    return try (spec["interfaces"]?.array ?? []).map { try MachineSpecification.Interface($0) }
  }

  /// What a machine has been given, by slot.
  func given(_ sort: Allocation.Sort, _ uid: String) -> [String: String] {
    allocations[sort]?[uid] ?? [:]
  }
}
