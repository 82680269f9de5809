public import EngineInterface
public import Planning
public import Resources

/// What happens while a plan is executed.
public enum ExecutionEvent: Sendable {
  /// An action begins.
  case started(PlannedAction)
  /// A long action has come further.
  case progress(PlannedAction, ActProgress)
  /// An action is done.
  case finished(PlannedAction, ActOutcome, elapsed: Duration)
  /// An action failed, or was undone after a cancellation.
  case failed(PlannedAction, EngineError, elapsed: Duration)
  /// An action is left out because one that it depends on failed.
  case skipped(PlannedAction, cause: ResourceID)
  /// An action was not begun because of a cancellation.
  case notStarted(PlannedAction)

  /// The action it is about.
  public var action: PlannedAction {
    switch self {
    case .started(let action), .progress(let action, _), .finished(let action, _, _),
      .failed(let action, _, _), .skipped(let action, _), .notStarted(let action):
      action
    }
  }
}
