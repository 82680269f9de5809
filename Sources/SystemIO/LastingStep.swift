internal import Synchronization

/// A step whose effect outlives the process: told before and after to whoever watches.
///
/// That is a test's program, which ends itself there to see what the next process makes of it.
/// Nothing watches in any other; a step then costs one look at a flag.
package enum LastingStep {
  /// Told of a place: `before rename ...`, `within write ...`, `after rename ...`.
  package typealias Watcher = @Sendable (_ place: String) -> Void

  private static let watched = Atomic(false)
  private static let watcher = Mutex<Watcher?>(nil)

  /// Whether anybody is told.
  static var isWatched: Bool { watched.load(ordering: .acquiring) }

  /// Lets a program be told of its own steps from now on.
  package static func watch(_ new: @escaping Watcher) {
    watcher.withLock { $0 = new }
    watched.store(true, ordering: .releasing)
  }

  static func tell(_ place: String) { watcher.withLock { $0 }?(place) }
}

/// Does a step whose effect outlives the process; see `LastingStep`.
@discardableResult
package func lastingStep<Value, Failure: Error>(
  _ name: @autoclosure () -> String, _ body: () throws(Failure) -> Value
) throws(Failure) -> Value {
  guard LastingStep.isWatched else { return try body() }
  let name = name()
  LastingStep.tell("before \(name)")
  let value = try body()
  LastingStep.tell("after \(name)")
  return value
}
