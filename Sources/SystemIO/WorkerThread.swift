internal import Glibc

/// A thread of its own for work that blocks or computes for long, so that Swift's cooperative pool
/// does neither.
public final class WorkerThread: @unchecked Sendable {
  // Unchecked: set once by init and read by `join` or `detach`, which the one owner calls.
  private let thread: pthread_t

  private final class Body {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  /// Starts the thread; whoever does must call `join` or `detach`, once.
  public init(_ run: @escaping @Sendable () -> Void) throws(SystemError) {
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
  public func join() { pthread_join(thread, nil) }

  /// Lets it end by itself.
  public func detach() { pthread_detach(thread) }
}
