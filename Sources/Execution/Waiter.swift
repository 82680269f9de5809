public import EngineInterface
public import Resources
public import SystemIO

/// Waits until resources are as wanted, and says what is missing where they are not.
public struct Waiter: Sendable {
  /// Sleeps; throws `CancellationError` when the task is cancelled.
  public typealias Sleep = @Sendable (Duration) async throws -> Void

  private let engine: any Engine
  private let host: HostContext
  private let sleep: Sleep

  /// Seconds that a resource without a readiness probe gets.
  public static let defaultTimeout: Int64 = 180
  /// How long a guest must have been seen stuck: what it writes at that moment may be half a story.
  static let settling = Duration.seconds(2)

  /// Makes a waiter; tests give a clock in `host` and a `sleep` that goes with it.
  public init(
    engine: any Engine, host: HostContext,
    sleep: @escaping Sleep = { try await Task.sleep(for: $0) }
  ) {
    self.engine = engine
    self.host = host
    self.sleep = sleep
  }

  /// Waits until each resource meets the goal, can't meet it any more, or its time is over.
  ///
  /// Time is counted on the host's steady clock, so that a clock that is set changes nothing.
  ///
  /// - Parameters:
  ///   - resources: which ones.
  ///   - timeout: how long for each; nil takes it from a machine's readiness probe.
  ///   - onEvent: called whenever what is known of a resource changes.
  /// - Throws: `EngineError`; `CancellationError` when the task is cancelled.
  public func wait(
    for resources: [ResourceID], _ goal: WaitGoal = .ready, timeout: Duration? = nil,
    onEvent: @escaping @Sendable (ResourceWait) async -> Void = { _ in }
  ) async throws -> WaitResult {
    let start = host.uptime()
    var found: [ResourceID: ResourceWait] = [:]
    var open = Array(Set(resources)).sorted()
    var pause = Duration.milliseconds(100)
    while !open.isEmpty {
      let observed = try await engine.observe()
      let waited = Duration.nanoseconds(Int64(clamping: host.uptime() &- start))
      let wanted = Set(open)
      var stored: [ResourceID: ObservedResource] = [:]
      for resource in observed.resources where wanted.contains(resource.resource.id) {
        stored[resource.resource.id] = resource
      }
      for id in open {
        let state = ResourceWait(
          id, stored[id], goal, waited: waited, timeout: timeout, before: found[id])
        if found[id]?.isLike(state) != true { await onEvent(state) }
        found[id] = state
      }
      open.removeAll { found[$0]?.isOver ?? true }
      if open.isEmpty { break }
      try await sleep(pause)
      pause = min(pause * 3 / 2, .seconds(1))
    }
    return WaitResult(resources: found.values.sorted { $0.id < $1.id })
  }
}
