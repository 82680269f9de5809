internal import Dispatch
internal import Synchronization

/// Indices that several threads share out among themselves.
final class SharedCount: Sendable {
  private let end: Int
  private let state = Mutex<(next: Int, problem: (any Error)?)>((0, nil))
  private let group = DispatchGroup()

  init(_ end: Int) { self.end = end }

  func enter() { group.enter() }
  func leave() { group.leave() }

  /// Works until no index is left, or one failed.
  func work(_ body: (Int) throws -> Void) {
    defer { leave() }
    while let index = take() {
      do {
        try body(index)
      } catch {
        state.withLock { if $0.problem == nil { $0.problem = error } }
      }
    }
  }

  /// Waits for all who entered.
  func waitForAll() throws {
    group.wait()
    if let problem = state.withLock({ $0.problem }) { throw problem }
  }

  private func take() -> Int? {
    state.withLock { state in
      guard state.next < end, state.problem == nil else { return nil }
      defer { state.next += 1 }
      return state.next
    }
  }
}
