/// Says whether work is to stop; asked between steps from any thread.
struct Cancellation: Sendable {
  private let flag = Shared(false)

  /// Asks the work to stop.
  func cancel() { flag.withLock { $0 = true } }

  var isCancelled: Bool { flag.withLock(wake: false) { $0 } }

  /// Throws `ConversionCancelled` once the work is to stop.
  func check() throws {
    if isCancelled { throw ConversionCancelled() }
  }
}
