internal import Glibc
internal import SystemIO

/// A thread of its own for calls that block, so that Swift's cooperative pool never does.
final class WorkerThread: @unchecked Sendable {
  // Unchecked: set once by init and read by `join`, which the one owner calls.
  private let thread: pthread_t

  private final class Body {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  /// Starts the thread; whoever does must call `join` or `detach`.
  init(_ run: @escaping @Sendable () -> Void) throws(SystemError) {
    var thread = pthread_t()
    let body = Unmanaged.passRetained(Body(run))
    let status = pthread_create(
      &thread, nil,
      { argument in
        if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
        return nil
      }, body.toOpaque())
    guard status == 0 else {
      body.release()
      throw SystemError("start", "a thread", errno: status)
    }
    self.thread = thread
  }

  /// Waits for its end.
  func join() { pthread_join(thread, nil) }

  /// Lets it end by itself.
  func detach() { pthread_detach(thread) }
}

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
