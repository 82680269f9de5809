internal import Glibc
internal import SystemIO

/// Runs a blocking body on a thread of its own and hands on how it ended.
func onOwnThread<Result: Sendable>(
  _ body: @escaping @Sendable () throws -> Result
) async throws -> Result {
  try await withCheckedThrowingContinuation { continuation in
    do {
      let thread = try WorkerThread {
        continuation.resume(with: Swift.Result { try body() })
      }
      thread.detach()
    } catch {
      continuation.resume(throwing: error)
    }
  }
}

/// State behind a lock that threads can also wait on.
///
/// Unchecked: the state is touched by `withLock`'s body only, under the mutex.
final class Shared<State>: @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let changed: UnsafeMutablePointer<pthread_cond_t>
  private var state: State

  init(_ state: sending State) {
    self.state = state
    mutex = .allocate(capacity: 1)
    changed = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(changed, nil)
  }

  deinit {
    pthread_cond_destroy(changed)
    pthread_mutex_destroy(mutex)
    changed.deallocate()
    mutex.deallocate()
  }

  /// Runs a body alone; `wake` tells all that wait to look again.
  func withLock<Result>(wake: Bool = true, _ body: (inout State) throws -> Result) rethrows
    -> Result
  {
    pthread_mutex_lock(mutex)
    defer {
      if wake { pthread_cond_broadcast(changed) }
      pthread_mutex_unlock(mutex)
    }
    return try body(&state)
  }

  /// Runs a body alone that answers whether all that wait shall look again.
  func wakeIf(_ body: (inout State) -> Bool) {
    pthread_mutex_lock(mutex)
    if body(&state) { pthread_cond_broadcast(changed) }
    pthread_mutex_unlock(mutex)
  }

  /// Runs a body again whenever the state may have changed, until it answers something.
  func wait<Result>(wake: Bool = false, _ body: (inout State) -> Result?) -> Result {
    pthread_mutex_lock(mutex)
    defer {
      if wake { pthread_cond_broadcast(changed) }
      pthread_mutex_unlock(mutex)
    }
    while true {
      if let result = body(&state) { return result }
      pthread_cond_wait(changed, mutex)
    }
  }
}
