internal import Dispatch

/// Runs blocking calls (SQLite, files, a monitor's answers) on threads of their own.
///
/// Swift's cooperative pool has one thread a processor; a call that waits there would keep every
/// other task waiting.
struct Offload: Sendable {
  private let queue = DispatchQueue(label: "ingot.engine", attributes: .concurrent)

  /// Runs `body` on a thread that may block.
  func callAsFunction<Result: Sendable>(
    _ body: @escaping @Sendable () throws -> Result
  ) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
      queue.async { continuation.resume(with: Swift.Result(catching: body)) }
    }
  }
}
