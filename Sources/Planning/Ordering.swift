internal import Diagnostics
internal import EngineInterface
internal import Resources

/// Links the actions of a plan and brings them into an order.
struct Ordering {
  enum Result {
    /// Each action behind those it depends on.
    case ordered([PlannedAction])
    /// The action to give up, so that the rest can be ordered.
    case cycle(Int, Diagnostic)
  }

  private let candidates: [Candidate]
  private var edges: [ResourceID: Set<ResourceID>] = [:]

  init(_ candidates: [Candidate]) {
    self.candidates = candidates
    link()
  }

  private mutating func link() {
    let living = candidates.filter { !$0.isRefused }
    let deleted = Set(living.lazy.filter(\.isDelete).map(\.id))
    let kept = Set(living.lazy.filter { !$0.isDelete }.map(\.id))
    var released: [Claim: ResourceID] = [:]
    for candidate in living {
      if let desired = candidate.desired {
        for reference in desired.references
        where reference.isNeeded(by: candidate.id) && kept.contains(reference.target) {
          edges[candidate.id, default: []].insert(reference.target)
        }
      }
      guard let stored = candidate.stored?.resource else { continue }
      if !deleted.isEmpty {
        for reference in stored.references
        where reference.isNeeded(by: candidate.id) && deleted.contains(reference.target) {
          edges[reference.target, default: []].insert(candidate.id)
        }
        // A guest is off a network that it leaves with its end.
        for name in candidate.stored?.machine?.networksLeft ?? [] {
          let network = ResourceID(.network, name)
          if deleted.contains(network) { edges[network, default: []].insert(candidate.id) }
        }
      }
      for claim in stored.claims { released[claim.claim] = candidate.id }
    }
    guard !released.isEmpty else { return }
    // What one gives up and another takes must be free first.
    for candidate in living {
      for claim in candidate.desired?.claims ?? [] {
        guard let owner = released[claim.claim], owner != candidate.id else { continue }
        edges[candidate.id, default: []].insert(owner)
      }
    }
  }

  /// The actions in order, or what stands in the way.
  var result: Result {
    var depths: [ResourceID: Int] = [:]
    var waiting: [ResourceID: Int] = [:]
    var dependants: [ResourceID: [ResourceID]] = [:]
    var ready: [ResourceID] = []
    let living = candidates.filter { !$0.isRefused }
    for candidate in living {
      let needs = edges[candidate.id] ?? []
      waiting[candidate.id] = needs.count
      for need in needs { dependants[need, default: []].append(candidate.id) }
      if needs.isEmpty { ready.append(candidate.id) }
    }
    while let id = ready.popLast() {
      let depth = depths[id, default: 0]
      depths[id] = depth
      waiting[id] = nil
      for other in dependants[id] ?? [] {
        depths[other] = max(depths[other, default: 0], depth + 1)
        waiting[other, default: 0] -= 1
        if waiting[other] == 0 { ready.append(other) }
      }
    }
    let stuck = cyclic(Set(waiting.keys), dependants)
    if let index = candidates.lastIndex(where: { stuck.contains($0.id) }) {
      return .cycle(index, cycleProblem(candidates[index], among: stuck))
    }
    return .ordered(sorted(living, by: depths))
  }

  /// Of the actions that can't be ordered those on a cycle, without the ones that wait for it.
  private func cyclic(
    _ stuck: Set<ResourceID>, _ dependants: [ResourceID: [ResourceID]]
  ) -> Set<ResourceID> {
    var stuck = stuck
    while true {
      let kept = stuck.filter { id in dependants[id]?.contains(where: stuck.contains) ?? false }
      if kept.count == stuck.count { return kept }
      stuck = kept
    }
  }

  private func sorted(_ living: [Candidate], by depths: [ResourceID: Int]) -> [PlannedAction] {
    living.map { candidate in
      var action = candidate.action
      action.dependencies = (edges[candidate.id] ?? []).sorted()
      return action
    }.sorted { a, b in
      let (left, right) = (depths[a.id] ?? 0, depths[b.id] ?? 0)
      return left == right ? a.id < b.id : left < right
    }
  }

  private func cycleProblem(_ candidate: Candidate, among stuck: Set<ResourceID>) -> Diagnostic {
    let others = (edges[candidate.id] ?? []).filter(stuck.contains).sorted()
    let names = others.map(\.description).joined(separator: ", ")
    return Diagnostic(
      "cycle", "\(candidate.id) and \(names) wait for each other",
      at: candidate.action.source, help: "apply the change in two steps")
  }
}
