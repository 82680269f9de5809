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
    var draft = Draft(observed: observed, options: options)
    var comparison = Comparison(observed: observed, options: options, inputs: desired.inputs)
    let resources = options.scope.chosen(desired.resources)
    // What is declared and not meant is neither acted on nor pruned.
    let passedOver =
      options.scope.isEverything ? [] : Set(desired.resources.lazy.map(\.id))
    func prune(_ stored: ObservedResource) {
      guard options.prune, !passedOver.contains(stored.resource.id) else { return }
      if options.scope.contains(stored.resource) { draft.prune(stored) }
    }
    // Indices are sorted, for resources are costly to move.
    let declared = resources.indices.sorted { resources[$0].id < resources[$1].id }
      .lazy.map { resources[$0] }
    var next = observed.resources.startIndex
    for resource in declared {
      while next < observed.resources.endIndex, observed.resources[next].resource.id < resource.id {
        prune(observed.resources[next])
        next += 1
      }
      guard next < observed.resources.endIndex, observed.resources[next].resource.id == resource.id
      else {
        draft.add(comparison.creation(of: resource), of: resource, stored: nil)
        continue
      }
      let stored = observed.resources[next]
      next += 1
      let verdict = comparison.verdict(on: resource, stored)
      // Networks come before the machines on them.
      if resource.id.kind == .network, case .act(let action) = verdict, action.effect == .nextBoot {
        comparison.changedNetworks.insert(resource.id.name)
      }
      draft.add(verdict, of: resource, stored: stored)
    }
    for stored in observed.resources[next...] { prune(stored) }
    return draft.finished()
  }

  /// What destroys resources; what is protected, or still used by what remains, is refused.
  ///
  /// What is to be retained is kept, and leaves its apply set; by name it is refused. So is what
  /// manifests declare and belongs to another apply set, unless `takeOver` allows it. A scope
  /// leaves out what is swept away and not meant; what it refers to is not taken along.
  public static func planDestroy(
    _ target: DestroyTarget, observed: ObservedState, takeOver: Bool = false,
    scope: PlanScope = PlanScope()
  ) -> Plan {
    var draft = Draft(
      observed: observed, options: PlanOptions(set: target.set, takeOver: takeOver, scope: scope))
    switch target {
    case .all(let set):
      let what = set.map { "everything of the apply set '\($0)'" } ?? "everything"
      for stored in observed.resources where !stored.isBuiltIn {
        guard set == nil || stored.resource.set == set, scope.contains(stored.resource) else {
          continue
        }
        draft.delete(stored, because: "\(what) is to be destroyed")
      }
    case .declared(let ids, let set):
      let wanted = Set(ids)
      for stored in observed.resources where wanted.contains(stored.resource.id) {
        guard scope.contains(stored.resource) else { continue }
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
