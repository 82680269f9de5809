internal import Glibc
internal import SystemIO

/// Runs blocking calls (SQLite, files, a monitor's answers) each on a thread of its own.
///
/// Swift's cooperative pool has one thread a processor, and Dispatch's queues hardly more; a call
/// that waits there for a guest would keep every other task waiting. How many run at a time is
/// bounded by the callers: a plan's parallelism.
struct Offload: Sendable {
  /// Runs `body` on a thread that may block.
  func callAsFunction<Result: Sendable>(
    _ body: @escaping @Sendable () throws -> Result
  ) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
      let problem = startThread {
        let result = Swift.Result(catching: body)
        return { continuation.resume(with: result) }
      }
      if let problem { continuation.resume(throwing: problem) }
    }
  }

  /// Runs a body for each index below a count on a few threads; returns when all are done.
  ///
  /// - Throws: the first error thrown.
  static func forEach(
    _ count: Int, atOnce limit: Int = 16, _ body: @escaping @Sendable (Int) throws -> Void
  ) throws {
    let shared = SharedCount(count)
    let workers = min(count, limit)
    for _ in 0..<max(0, workers - 1) {
      shared.enter()
      // Without another thread this one does it all.
      let problem = startThread {
        shared.work(body)
        return {}
      }
      if problem != nil { shared.leave() }
    }
    shared.enter()
    shared.work(body)
    try shared.waitForAll()
  }
}

/// Starts a thread that nobody waits for; gives the reason where that fails.
///
/// What the body gives is called when the body itself, with all it holds, is gone: whoever is told
/// of the end may rely on nothing being held any more.
private func startThread(
  _ body: @escaping @Sendable () -> (@Sendable () -> Void)
) -> SystemError? {
  let box = Unmanaged.passRetained(ThreadBody(body))
  var thread = pthread_t()
  let result = pthread_create(
    &thread, nil,
    { pointer in
      guard let pointer else { return nil }
      let finish = Unmanaged<ThreadBody>.fromOpaque(pointer).takeRetainedValue().body()
      finish()
      return nil
    }, box.toOpaque())
  if result == 0 {
    pthread_detach(thread)
    return nil
  }
  box.release()
  return SystemError("start", "a thread", errno: result)
}

private final class ThreadBody: Sendable {
  let body: @Sendable () -> (@Sendable () -> Void)
  init(_ body: @escaping @Sendable () -> (@Sendable () -> Void)) { self.body = body }
}
