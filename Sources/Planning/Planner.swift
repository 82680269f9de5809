public import EngineInterface
internal import Resources

/// Compares what manifests declare with what an engine holds; pure.
public enum Planner {
  /// What brings an engine from what it holds to what manifests declare.
  ///
  /// What is refused (protected, impossible, more than pools or host give) stands in the plan
  /// beside what goes on. The plan is the same for any order of the desired resources.
  public static func plan(
    desired: DesiredState, observed: ObservedState, options: PlanOptions = PlanOptions()
  ) -> Plan {
    var draft = Draft(observed: observed)
    let comparison = Comparison(observed: observed, options: options, inputs: desired.inputs)
    // Indices are sorted, for resources are costly to move.
    let declared = desired.resources.indices
      .sorted { desired.resources[$0].id < desired.resources[$1].id }
      .lazy.map { desired.resources[$0] }
    var next = observed.resources.startIndex
    for resource in declared {
      while next < observed.resources.endIndex, observed.resources[next].resource.id < resource.id {
        if options.prune { draft.prune(observed.resources[next], of: options.set) }
        next += 1
      }
      guard next < observed.resources.endIndex, observed.resources[next].resource.id == resource.id
      else {
        draft.add(comparison.creation(of: resource), of: resource, stored: nil)
        continue
      }
      let stored = observed.resources[next]
      next += 1
      draft.add(comparison.verdict(on: resource, stored), of: resource, stored: stored)
    }
    if options.prune {
      for stored in observed.resources[next...] { draft.prune(stored, of: options.set) }
    }
    return draft.finished()
  }

  /// What destroys resources; what is protected, or still used by what remains, is refused.
  ///
  /// What is to be retained is kept, and leaves its apply set; by name it is refused. So is what
  /// manifests declare and belongs to another apply set, unless `takeOver` allows it.
  public static func planDestroy(
    _ target: DestroyTarget, observed: ObservedState, takeOver: Bool = false
  ) -> Plan {
    var draft = Draft(observed: observed)
    switch target {
    case .all(let set):
      let what = set.map { "everything of the apply set '\($0)'" } ?? "everything"
      for stored in observed.resources where !stored.isBuiltIn {
        guard set == nil || stored.resource.set == set else { continue }
        draft.delete(stored, because: "\(what) is to be destroyed")
      }
    case .declared(let ids, let set):
      let wanted = Set(ids)
      for stored in observed.resources where wanted.contains(stored.resource.id) {
        if !takeOver, let other = stored.resource.set, other != set {
          draft.refuse(stored.resource.id, .otherSet(stored.resource.id, other, not: set))
        } else {
          draft.delete(stored, because: "its manifests are to be destroyed")
        }
      }
    case .resources(let ids):
      let wanted = Set(ids)
      for stored in observed.resources where wanted.contains(stored.resource.id) {
        draft.delete(stored, because: "named to be destroyed", isNamed: true)
      }
    }
    return draft.finished()
  }
}
