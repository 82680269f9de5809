internal import EngineInterface
internal import Planning
internal import Resources

/// Which actions of a plan may begin, are under way and have come to an end.
struct Schedule {
  let actions: [PlannedAction]
  private(set) var outcomes: [ExecutionResult.Outcome?]
  private var waiting: [Int]
  private var dependants: [[Int]]
  private var ready: [Int]
  private var nextReady = 0

  init(_ plan: Plan) {
    actions = plan.actions
    outcomes = Array(repeating: nil, count: actions.count)
    waiting = actions.map(\.dependencies.count)
    dependants = Array(repeating: [], count: actions.count)
    ready = []
    var indices: [ResourceID: Int] = [:]
    for (index, action) in actions.enumerated() {
      indices[action.id] = index
      // A dependency outside the plan would never be met.
      let needs = action.dependencies.compactMap { indices[$0] }
      waiting[index] = needs.count
      for need in needs { dependants[need].append(index) }
      if needs.isEmpty { ready.append(index) }
    }
  }

  /// The next action that may begin, in the plan's order among those free at the same time.
  mutating func next() -> Int? {
    while nextReady < ready.count {
      nextReady += 1
      if outcomes[ready[nextReady - 1]] == nil { return ready[nextReady - 1] }
    }
    return nil
  }

  /// Notes the end of an action; gives the ones that fall with it, in the plan's order.
  mutating func end(_ index: Int, _ outcome: ExecutionResult.Outcome) -> [Int] {
    outcomes[index] = outcome
    guard case .done = outcome else { return skipDependants(of: index) }
    for other in dependants[index] {
      waiting[other] -= 1
      if waiting[other] == 0 { ready.append(other) }
    }
    return []
  }

  /// Notes that nothing more begins; gives what is left.
  mutating func abandon() -> [Int] {
    let left = outcomes.indices.filter { outcomes[$0] == nil }
    for index in left { outcomes[index] = .notStarted }
    return left
  }

  private mutating func skipDependants(of index: Int) -> [Int] {
    var skipped: Set<Int> = []
    var queue = dependants[index]
    while let other = queue.popLast() {
      guard outcomes[other] == nil, skipped.insert(other).inserted else { continue }
      queue += dependants[other]
    }
    let cause = actions[index].id
    for other in skipped { outcomes[other] = .skipped(cause: cause) }
    return skipped.sorted()
  }
}
