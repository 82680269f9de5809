public import EngineInterface
public import Planning
internal import Resources
public import SystemIO

/// Runs plans against an engine: in parallel as far as dependencies allow.
///
/// A failed act takes only its dependants with it. Cancelling the task that runs a plan begins no
/// further acts; those under way are finished or undone by the engine.
public struct Executor: Sendable {
  private let engine: any Engine
  private let parallelism: Int
  private let host: HostContext

  /// Makes an executor.
  ///
  /// - Parameter parallelism: how many acts are under way at most; at least 1.
  public init(engine: any Engine, parallelism: Int = 10, host: HostContext) {
    self.engine = engine
    self.parallelism = max(1, parallelism)
    self.host = host
  }

  /// Runs a plan while holding the engine's lock.
  ///
  /// - Parameters:
  ///   - command: what is told to others who find the lock taken.
  ///   - onEvent: called for one event after the other, in the order in which they happen.
  /// - Returns: what came of each action; failures of acts are in it, not thrown.
  /// - Throws: `EngineError`: the lock is taken (`busy`), the state can't be read, or it changed
  ///   since the plan was made (`stale-plan`); nothing was done then.
  public func run(
    _ plan: Plan, command: String = "apply",
    onEvent: @escaping @Sendable (ExecutionEvent) async -> Void = { _ in }
  ) async throws -> ExecutionResult {
    if plan.actions.isEmpty { return ExecutionResult(items: [], wasCancelled: false) }
    let lock = try await engine.lock(for: command)
    defer { lock.release() }
    try Self.refuseStale(plan, try await engine.observe())
    let (events, continuation) = AsyncStream.makeStream(of: ExecutionEvent.self)
    // Not a child task: events must still be told after a cancellation.
    let teller = Task { for await event in events { await onEvent(event) } }
    let result = await execute(plan) { continuation.yield($0) }
    continuation.finish()
    await teller.value
    return result
  }

  /// Refuses a plan that was made for another engine, or for what this one is no longer.
  ///
  /// - Throws: `EngineError` `stale-plan`.
  public static func refuseStale(
    _ plan: Plan, _ observed: ObservedState
  ) throws(EngineError) {
    guard plan.engineID == observed.engineID else {
      throw EngineError(
        "stale-plan",
        "the plan was made for engine \(plan.engineID), and this is \(observed.engineID)",
        help: "make a new plan with the same --home")
    }
    guard plan.generation == observed.generation else {
      throw EngineError(
        "stale-plan",
        "the plan was made at generation \(plan.generation), and the engine is at "
          + "\(observed.generation): something was changed since",
        help: "make a new plan and look at it again")
    }
  }

  private func execute(
    _ plan: Plan, tell: @escaping @Sendable (ExecutionEvent) -> Void
  ) async -> ExecutionResult {
    var schedule = Schedule(plan)
    var elapsed = Array(repeating: Duration.zero, count: plan.actions.count)
    await withTaskGroup(of: Ending.self) { group in
      var underWay = 0
      while true {
        while underWay < parallelism, !Task.isCancelled, let index = schedule.next() {
          let action = plan.actions[index]
          tell(.started(action))
          group.addTask { await perform(action, at: index, tell: tell) }
          underWay += 1
        }
        guard let ending = await group.next() else { break }
        underWay -= 1
        elapsed[ending.index] = ending.elapsed
        for other in schedule.end(ending.index, ending.outcome) {
          tell(.skipped(plan.actions[other], cause: plan.actions[ending.index].id))
        }
      }
    }
    for index in schedule.abandon() { tell(.notStarted(plan.actions[index])) }
    let items = zip(plan.actions, zip(schedule.outcomes, elapsed)).map {
      ExecutionResult.Item(action: $0, outcome: $1.0 ?? .notStarted, elapsed: $1.1)
    }
    let isDone = items.allSatisfy { if case .done = $0.outcome { true } else { false } }
    return ExecutionResult(items: items, wasCancelled: Task.isCancelled && !isDone)
  }

  private struct Ending: Sendable {
    var index: Int
    var outcome: ExecutionResult.Outcome
    var elapsed: Duration
  }

  private func perform(
    _ action: PlannedAction, at index: Int, tell: @escaping @Sendable (ExecutionEvent) -> Void
  ) async -> Ending {
    let start = host.uptime()
    func elapsed() -> Duration {
      .nanoseconds(Int64(clamping: host.uptime() &- start))
    }
    do {
      let outcome = try await engine.perform(action.act, inputs: action.inputs) {
        tell(.progress(action, $0))
      }
      let ending = Ending(index: index, outcome: .done(outcome), elapsed: elapsed())
      tell(.finished(action, outcome, elapsed: ending.elapsed))
      return ending
    } catch {
      let failure = EngineError(failing: action, error)
      let ending = Ending(index: index, outcome: .failed(failure), elapsed: elapsed())
      tell(.failed(action, failure, elapsed: ending.elapsed))
      return ending
    }
  }
}

extension EngineError {
  /// Any error of an act as an engine's.
  fileprivate init(failing action: PlannedAction, _ error: any Error) {
    switch error {
    case let error as EngineError: self = error
    case is CancellationError:
      self.init(
        "cancelled", "\(action.act.verb) of \(action.id) was cut short",
        help: "run the command again to go on")
    default: self.init("failed", "\(action.act.verb) of \(action.id): \(error)")
    }
  }
}
