/// Says whether work is to stop; asked between steps from any thread.
struct Cancellation: Sendable {
  private struct State: Sendable {
    var isCancelled = false
    var action: (@Sendable () -> Void)?
  }

  private let state = Shared(State())

  /// Asks the work to stop.
  func cancel() {
    let action = state.withLock { state in
      state.isCancelled = true
      return state.action
    }
    action?()
  }

  var isCancelled: Bool { state.withLock(wake: false) { $0.isCancelled } }

  /// Throws `ConversionCancelled` once the work is to stop.
  func check() throws {
    if isCancelled { throw ConversionCancelled() }
  }

  /// Runs `body`; `action` ends what it waits for where the work is to stop meanwhile.
  func whileWaiting<Result>(
    _ action: @escaping @Sendable () -> Void, _ body: () throws -> Result
  ) throws -> Result {
    let isLate = state.withLock { state in
      state.action = action
      return state.isCancelled
    }
    if isLate { action() }
    defer { state.withLock { $0.action = nil } }
    return try body()
  }
}
