internal import EngineInterface
internal import Synchronization

/// Carries an error out of a step that is to count as done all the same.
final class ProblemBox: Sendable {
  private let problem = Mutex<EngineError?>(nil)

  var value: EngineError? { problem.withLock { $0 } }

  func set(_ error: EngineError) { problem.withLock { $0 = error } }
}
