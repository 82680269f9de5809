internal import Synchronization

/// Carries what a step found out to the steps behind it.
final class StepResult<Value: Sendable>: Sendable {
  private let held = Mutex<Value?>(nil)

  /// What was found out; nil where the step had nothing to tell.
  var value: Value? { held.withLock { $0 } }

  func set(_ value: Value) { held.withLock { $0 = value } }
}
