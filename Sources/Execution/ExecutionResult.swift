public import EngineInterface
public import Planning
public import Resources

/// What came of executing a plan.
public struct ExecutionResult: Sendable {
  /// What came of one action.
  public enum Outcome: Sendable, Hashable {
    /// It was done.
    case done(ActOutcome)
    /// It failed, or was undone after a cancellation.
    case failed(EngineError)
    /// An action that it depends on, directly or not, failed.
    case skipped(cause: ResourceID)
    /// It was not begun because of a cancellation.
    case notStarted
  }

  /// An action and what came of it.
  public struct Item: Sendable, Hashable {
    /// The action.
    public var action: PlannedAction
    /// What came of it.
    public var outcome: Outcome
    /// How long it took.
    public var elapsed: Duration
  }

  /// Every action of the plan, in its order.
  public var items: [Item]
  /// Whether execution was cancelled before all was done.
  public var wasCancelled: Bool

  /// How many actions were done.
  public var doneCount: Int { count { if case .done = $0 { true } else { false } } }
  /// How many failed.
  public var failedCount: Int { count { if case .failed = $0 { true } else { false } } }
  /// How many were left out because of a failure.
  public var skippedCount: Int { count { if case .skipped = $0 { true } else { false } } }
  /// How many were not begun because of a cancellation.
  public var notStartedCount: Int { count { $0 == .notStarted } }

  /// The actions that are still to be done.
  public var left: [PlannedAction] {
    items.filter { if case .done = $0.outcome { false } else { true } }.map(\.action)
  }

  /// Whether all was done.
  public var isComplete: Bool { doneCount == items.count }

  /// The exit code: 0 where all was done, 1 where nothing was, 5 where it was a part.
  public var exitCode: Int32 { isComplete ? 0 : doneCount == 0 ? 1 : 5 }

  /// Where guests noticed more than the plan had promised, a sentence each.
  public var warnings: [String] {
    items.compactMap { item in
      // Only machines have guests, and a guest that is deleted has nothing more to notice.
      guard case .done(let outcome) = item.outcome, outcome.effect > item.action.effect,
        item.action.id.kind == .virtualMachine, item.action.act.verb != "delete"
      else { return nil }
      return "\(item.action.id): the plan promised '\(item.action.effect.word)', what happened is "
        + "'\(outcome.effect.word)'"
    }
  }

  private func count(_ isCounted: (Outcome) -> Bool) -> Int {
    items.count { isCounted($0.outcome) }
  }
}
