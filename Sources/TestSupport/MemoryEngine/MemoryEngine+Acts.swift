internal import EngineInterface
internal import JSON
internal import Resources

extension MemoryEngine {
  func apply(_ act: Act, inputs: String?) throws -> ActOutcome {
    switch act {
    case .create(let resource): return try create(resource, inputs: inputs)
    case .update(let resource, let restart): return try update(resource, restart, inputs: inputs)
    case .replace(let resource):
      guard let old = stored[resource.id] else { throw missing(resource.id) }
      guard !isProtected(old.resource) else { throw EngineError("protected", "\(resource.id)") }
      let hadGuest = booted[resource.id] != nil
      halt(resource.id)
      stored[resource.id] = nil
      _ = try create(resource, inputs: inputs)
      if hadGuest, resource.spec["runStrategy"] == "Manual" { start(resource.id) }
      return ActOutcome(effect: hadGuest ? .replace : .none)
    case .delete(let id): return try delete(id)
    case .retain(let id):
      guard stored[id] != nil else { throw missing(id) }
      stored[id]?.resource.set = nil
      return ActOutcome()
    case .start(let id):
      guard stored[id] != nil else { throw missing(id) }
      start(id)
      return ActOutcome()
    case .stop(let id):
      guard stored[id] != nil else { throw missing(id) }
      halt(id)
      return ActOutcome(effect: .restart)
    }
  }

  func start(_ id: ResourceID) {
    guard booted[id] == nil, let spec = stored[id]?.resource.spec else { return }
    booted[id] = spec
    stored[id]?.machine = MachineStatus(state: .running, isReady: true)
  }

  func halt(_ id: ResourceID) {
    booted[id] = nil
    stored[id]?.machine = MachineStatus(state: .halted)
  }

  private func create(_ resource: Resource, inputs: String?) throws -> ActOutcome {
    if let old = stored[resource.id], old.phase == .ready, old.resource.spec != resource.spec {
      throw EngineError("exists", "\(resource.id) is there already")
    }
    try check(resource)
    let isMachine = resource.id.kind == .virtualMachine
    let machine = isMachine ? stored[resource.id]?.machine ?? MachineStatus(state: .halted) : nil
    stored[resource.id] = ObservedResource(
      resource, uid: "\(resource.id)-\(done.count)", inputs: inputs, machine: machine)
    if isMachine { converge(resource, wasMade: true) }
    return ActOutcome()
  }

  private func update(
    _ resource: Resource, _ restart: Bool, inputs: String?
  ) throws -> ActOutcome {
    guard var entry = stored[resource.id] else { throw missing(resource.id) }
    try check(resource)
    let old = entry.resource.spec
    entry.resource = resource
    entry.generation += 1
    entry.phase = .ready
    entry.reason = nil
    entry.drift = []
    if let inputs { entry.inputs = inputs }
    stored[resource.id] = entry
    guard resource.id.kind == .virtualMachine else { return ActOutcome() }
    guard let running = booted[resource.id] else {
      converge(resource, wasMade: false)
      return ActOutcome()
    }
    let schema = Schema.table(for: .virtualMachine)
    let staged = schema.differences(from: running, to: resource.spec)
      .filter { $0.effect == .nextBoot || $0.effect == .restart }.map(\.path)
    var outcome = ActOutcome(
      effect: schema.differences(from: old, to: resource.spec).map(\.effect).max() ?? .none)
    if restart {
      halt(resource.id)
      start(resource.id)
      outcome.effect = .restart
    } else {
      stored[resource.id]?.machine?.restartRequired = staged
      let left = networksLeft(resource, running, staged)
      booted[resource.id] = schema.inEffect(resource.spec, from: running, staged: Set(staged))
      stored[resource.id]?.machine?.networksLeft = left
      outcome.staged = staged
    }
    if resource.spec["runStrategy"] == "Halted" {
      halt(resource.id)
      outcome.effect = max(outcome.effect, .restart)
    }
    return outcome
  }

  /// The networks, but for QEMU's own, that a guest is on until its next boot alone.
  private func networksLeft(
    _ resource: Resource, _ running: JSONValue, _ staged: [String]
  ) -> [String] {
    let waiting = (running["interfaces"]?.array ?? []).compactMap { interface in
      let path = "interfaces[\(interface["name"]?.string ?? "")]"
      let waits = staged.contains(path) || staged.contains(path + ".network")
      return waits ? interface["network"]?.string : nil
    }
    return Set(waiting).subtracting(resource.networkNames).sorted().filter { name in
      stored[ResourceID(.network, name)]?.resource.spec["mode"] != "user"
    }
  }

  private func delete(_ id: ResourceID) throws -> ActOutcome {
    guard let old = stored[id] else { return ActOutcome() }
    guard !isProtected(old.resource) else { throw EngineError("protected", "\(id)") }
    for other in stored.values
    where isNeeded(id, by: other.resource.id) && other.resource.referencedIDs.contains(id) {
      throw EngineError("in-use", "\(id) is used by \(other.resource.id)")
    }
    let guest = stored.values.first { $0.machine?.networksLeft.contains(id.name) == true }
    // QEMU itself is a network of mode user.
    if id.kind == .network, let guest, old.resource.spec["mode"] != "user" {
      throw EngineError("in-use", "the guest of \(guest.resource.id) is on \(id)")
    }
    let hadGuest = booted.removeValue(forKey: id) != nil
    stored[id] = nil
    return ActOutcome(effect: hadGuest ? .replace : .none)
  }

  private func converge(_ resource: Resource, wasMade: Bool) {
    switch resource.spec["runStrategy"]?.string {
    case "Always": start(resource.id)
    case "RerunOnFailure" where wasMade: start(resource.id)
    case "Halted": halt(resource.id)
    default: break
    }
  }

  /// An act before what it depends on is a mistake of the planner's; here it fails.
  private func check(_ resource: Resource) throws {
    for id in resource.referencedIDs where isNeeded(id, by: resource.id) && stored[id] == nil {
      throw EngineError("not-found", "\(resource.id) needs \(id), which is not there")
    }
    let mine = Set(macs(resource))
    for other in stored.values where other.resource.id != resource.id && !mine.isEmpty {
      guard mine.isDisjoint(with: macs(other.resource)) else {
        throw EngineError("in-use", "\(other.resource.id) has a MAC of \(resource.id)")
      }
    }
  }

  /// Security groups may name each other, so that one is made or goes before the other.
  private func isNeeded(_ id: ResourceID, by owner: ResourceID) -> Bool {
    id.kind != .securityGroup || owner.kind != .securityGroup
  }

  private func macs(_ resource: Resource) -> [String] {
    (resource.spec["interfaces"]?.array ?? []).compactMap { $0["mac"]?.string }
  }

  private func isProtected(_ resource: Resource) -> Bool {
    resource.spec["lifecycle"]?["deletionProtection"] == true
  }

  private func missing(_ id: ResourceID) -> EngineError {
    EngineError("not-found", "\(id) is not there")
  }
}
