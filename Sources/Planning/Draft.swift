internal import Diagnostics
internal import EngineInterface
internal import Resources

/// An action that may still be refused.
struct Candidate {
  var action: PlannedAction
  /// What the engine holds; nil for a create.
  var stored: ObservedResource?
  /// What it will hold; nil for a delete.
  var desired: Resource?
  var isRefused = false

  var id: ResourceID { action.id }
  var isDelete: Bool { desired == nil }
  /// What it will hold, given what is refused.
  var outcome: Resource? { isRefused ? stored?.resource : desired }
}

/// A plan that is being made.
struct Draft {
  let observed: ObservedState
  private let options: PlanOptions
  /// In the order of addresses.
  private(set) var candidates: [Candidate] = []
  private(set) var unchanged: [ResourceID] = []
  private var drift: [PlannedDrift] = []
  private var refused: [RefusedAction] = []
  /// What is kept and leaves its apply set; it stays as it is, and so is no candidate.
  private var retained: [PlannedAction] = []
  /// Creates that were refused before they became candidates.
  private var refusedCreates: Set<ResourceID> = []
  private var indices: [ResourceID: Int] = [:]

  init(observed: ObservedState, options: PlanOptions) {
    self.observed = observed
    self.options = options
  }

  mutating func add(_ verdict: Verdict, of resource: Resource, stored: ObservedResource?) {
    drift += (stored?.drift ?? []).map { PlannedDrift(resource.id, $0, isMended: false) }
    switch verdict {
    case .unchanged: unchanged.append(resource.id)
    case .act(let action):
      indices[resource.id] = candidates.count
      candidates.append(
        Candidate(action: action, stored: stored, desired: action.act.resource ?? resource))
    case .refuse(let verb, let problems):
      if stored == nil { refusedCreates.insert(resource.id) }
      refused += problems.map { RefusedAction(verb: verb, id: resource.id, diagnostic: $0) }
    }
  }

  mutating func prune(_ stored: ObservedResource) {
    guard !stored.isBuiltIn, stored.resource.set == options.set else { return }
    delete(stored, because: "no manifest declares it")
  }

  /// Deletes a resource, unless the state says that it is to be kept.
  ///
  /// - Parameter isNamed: whether it was named alone, and not swept away with others.
  mutating func delete(
    _ stored: ObservedResource, because reason: String, isNamed: Bool = false
  ) {
    let id = stored.resource.id
    if stored.isBuiltIn {
      let problem = Diagnostic(
        "built-in", "\(id) is built in", help: "change it with a manifest instead")
      refuse(id, problem)
    } else if stored.resource.isProtected {
      refuse(id, .protected(stored.resource, "destroyed: \(reason)"))
    } else if stored.resource.isRetained {
      retain(stored.resource, because: reason, isNamed: isNamed)
    } else {
      let hasGuest = stored.machine?.state.hasGuest ?? false
      indices[id] = candidates.count
      candidates.append(
        Candidate(
          action: PlannedAction(
            .delete(id), reason: PlanReason(.removed, reason), effect: hasGuest ? .replace : .none),
          stored: stored))
    }
  }

  private mutating func retain(_ resource: Resource, because reason: String, isNamed: Bool) {
    if isNamed {
      refuse(resource.id, .retained(resource))
    } else if resource.set != nil {
      let sentence = "\(reason), and lifecycle.deletionPolicy is Retain"
      retained.append(
        PlannedAction(
          .retain(resource.id), reason: PlanReason(.retained, sentence), effect: .none))
    } else {
      // It was kept before.
      unchanged.append(resource.id)
    }
  }

  /// Refuses a delete before it becomes a candidate.
  mutating func refuse(_ id: ResourceID, _ problem: Diagnostic) {
    refused.append(RefusedAction(verb: "delete", id: id, diagnostic: problem))
  }

  /// Where a candidate stands in `candidates`, refused or not.
  func index(of id: ResourceID) -> Int? { indices[id] }

  mutating func refuse(_ index: Int, _ problem: Diagnostic) {
    candidates[index].isRefused = true
    let action = candidates[index].action
    refused.append(RefusedAction(verb: action.act.verb, id: action.id, diagnostic: problem))
  }

  mutating func finished() -> Plan {
    var actions: [PlannedAction] = []
    if !candidates.isEmpty {
      settle()
      while true {
        switch Ordering(candidates).result {
        case .ordered(let ordered): actions = ordered
        case .cycle(let index, let problem):
          refuse(index, problem)
          settle()
          continue
        }
        break
      }
    }
    actions = retained + actions
    refused.sort { a, b in
      (a.id, a.diagnostic.path, a.diagnostic.message)
        < (b.id, b.diagnostic.path, b.diagnostic.message)
    }
    // One action does all that a resource needs, or none.
    if !drift.isEmpty {
      let acted = Set(actions.lazy.map(\.id))
      for index in drift.indices { drift[index].isMended = acted.contains(drift[index].id) }
    }
    return Plan(
      engineID: observed.engineID, generation: observed.generation, actions: actions,
      refused: refused, drift: drift, unchanged: unchanged, options: options)
  }

  /// Refuses what can't be until the rest stands; each refusal can take others with it.
  private mutating func settle() {
    let isStored = Set(observed.resources.lazy.map(\.resource.id))
    var count = -1
    while count != refused.count {
      count = refused.count
      refuseDangling(isStored)
      refuseDeletesInUse()
      admit()
    }
  }

  /// Refuses what refers to something that won't be there.
  private mutating func refuseDangling(_ isStored: Set<ResourceID>) {
    for index in candidates.indices {
      let candidate = candidates[index]
      guard !candidate.isRefused, let desired = candidate.desired else { continue }
      for reference in desired.references {
        let target = reference.target
        let place = desired.place(of: reference.path)
        if let other = self.index(of: target) {
          guard candidates[other].outcome == nil else { continue }
          refuse(index, .dangling(reference, candidates[other].isRefused, at: place))
        } else if isStored.contains(target) {
          continue
        } else {
          refuse(index, .dangling(reference, refusedCreates.contains(target), at: place))
        }
        break
      }
    }
  }

  /// Refuses deletes of what something that stays refers to.
  private mutating func refuseDeletesInUse() {
    guard candidates.contains(where: { $0.isDelete && !$0.isRefused }) else { return }
    var users: [ResourceID: ResourceID] = [:]
    func use(_ resource: Resource) {
      for reference in resource.references
      where users[reference.target] == nil && reference.target != resource.id {
        users[reference.target] = resource.id
      }
    }
    for stored in observed.resources where index(of: stored.resource.id) == nil {
      use(stored.resource)
    }
    for candidate in candidates { if let outcome = candidate.outcome { use(outcome) } }
    let guests = guestsLeaving()
    // Backwards, so that what a kept one refers to is kept in the same round.
    for index in candidates.indices.reversed() {
      let candidate = candidates[index]
      guard candidate.isDelete, !candidate.isRefused else { continue }
      if let user = users[candidate.id] {
        refuse(
          index,
          Diagnostic(
            "in-use", "\(candidate.id) is used by \(user)",
            help: "destroy \(user) too, or change what it uses first"))
      } else if let guest = guests[candidate.id] {
        refuse(
          index,
          Diagnostic(
            "in-use", "\(candidate.id) has the guest of \(guest) on it until its next boot",
            help: "plan with --restart, or stop or reboot the guest first"))
      } else {
        continue
      }
      if let kept = candidate.stored?.resource { use(kept) }
    }
  }

  /// The networks that guests are on until their next boot, each with one of the guests.
  private func guestsLeaving() -> [ResourceID: ResourceID] {
    var found: [ResourceID: ResourceID] = [:]
    for stored in observed.resources {
      guard let machine = stored.machine, machine.state.hasGuest else { continue }
      let id = stored.resource.id
      let left = index(of: id).map { candidates[$0].networksLeft } ?? Set(machine.networksLeft)
      for name in left where found[ResourceID(.network, name)] == nil {
        found[ResourceID(.network, name)] = id
      }
    }
    // QEMU itself is a network of mode user, for as long as its guest lives.
    for stored in observed.resources where stored.resource.networkMode == .user {
      found[stored.resource.id] = nil
    }
    return found
  }

  private mutating func admit() {
    for (index, problem) in Admission(self).violations { refuse(index, problem) }
  }
}

extension Diagnostic {
  fileprivate static func dangling(
    _ reference: Reference, _ wasRefused: Bool, at span: SourceSpan?
  ) -> Diagnostic {
    wasRefused
      ? Diagnostic(
        "needs-refused", "needs \(reference.target), which is refused", path: reference.path,
        at: span)
      : Diagnostic(
        "missing-reference", "\(reference.target) does not exist", path: reference.path, at: span,
        help: "declare it, or write the name of one that exists")
  }
}
