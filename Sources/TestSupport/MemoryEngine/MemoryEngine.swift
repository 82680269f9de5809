public import EngineInterface
internal import JSON
public import Resources
internal import Synchronization

/// An engine that holds everything in memory: faithful to acts, strict about their order, and able
/// to fail and to dawdle when told to.
public actor MemoryEngine: Engine {
  /// What goes wrong with an act.
  public enum Failure: Sendable {
    /// Nothing is done.
    case before(EngineError)
    /// The act is cut short; what it was done to stays incomplete.
    case halfway(EngineError)
  }

  /// Called before each act; may wait, and throw to make the act fail.
  public typealias Hook = @Sendable (Act) async throws -> Void

  /// The acts that were done, in the order of their ends.
  public private(set) var done: [Act] = []
  /// The largest number of acts that were under way at once.
  public private(set) var mostAtOnce = 0
  /// Fields the engine can't provide.
  public var unsupported: [ObservedState.Unsupported]

  let host: HostCapacity
  var stored: [ResourceID: ObservedResource] = [:]
  /// What running guests were started with.
  var booted: [ResourceID: JSONValue] = [:]
  private var generation: Int64 = 0
  private var failures: [ResourceID: Failure] = [:]
  private var hook: Hook?
  private var underWay = 0
  private let holder = Holder()
  private var log: [EngineEvent] = []

  /// Makes an engine that holds the built-in resources.
  public init(
    host: HostCapacity = HostCapacity(cpuMillicores: 64_000, memory: 1 << 40),
    unsupported: [ObservedState.Unsupported] = []
  ) {
    self.host = host
    self.unsupported = unsupported
    for resource in MemoryEngine.builtIn {
      stored[resource.id] = ObservedResource(resource, uid: "built-in", isBuiltIn: true)
    }
  }

  /// The resources that are there without being declared.
  public static var builtIn: [Resource] {
    [
      .normalized(.storagePool, "default"), .normalized(.resourcePool, "default"),
      .normalized(.network, "default", ["mode": "user"]),
    ]
  }

  /// Makes the next act on a resource fail.
  public func fail(_ id: ResourceID, _ failure: Failure) { failures[id] = failure }

  /// Calls `hook` before each act.
  public func beforeEach(_ hook: @escaping Hook) { self.hook = hook }

  /// Changes what is observed of a resource, as the world would.
  public func change(_ id: ResourceID, _ change: @Sendable (inout ObservedResource) -> Void) {
    if var resource = stored[id] {
      change(&resource)
      stored[id] = resource
    }
  }

  /// What it holds.
  public func observe() -> ObservedState {
    ObservedState(
      engineID: "memory", generation: generation, resources: Array(stored.values), host: host,
      unsupported: unsupported)
  }

  /// Does one act, unless it was told to fail.
  public func perform(
    _ act: Act, inputs: String?, progress: @escaping @Sendable (ActProgress) -> Void
  ) async throws -> ActOutcome {
    underWay += 1
    mostAtOnce = max(mostAtOnce, underWay)
    defer { underWay -= 1 }
    try await hook?(act)
    progress(ActProgress(phase: act.verb))
    let failure = failures.removeValue(forKey: act.id)
    if case .before(let error) = failure { throw error }
    let outcome = try apply(act, inputs: inputs)
    generation += 1
    log.append(
      EngineEvent(
        sequence: generation, time: generation, id: act.id, reason: act.verb, message: act.verb))
    if case .halfway(let error) = failure {
      stored[act.id]?.phase = .incomplete
      throw error
    }
    done.append(act)
    return outcome
  }

  /// Takes the lock; `busy` while another has it.
  public func lock(for command: String) throws -> any EngineLock {
    let other = holder.command.withLock { current in
      defer { current = current ?? command }
      return current
    }
    if let other {
      throw EngineError("busy", "'\(other)' is changing things", help: "wait for its end")
    }
    return Lock(holder: holder)
  }

  /// Does a verb on a machine.
  public func control(_ machine: String, _ verb: MachineVerb) throws {
    let id = ResourceID(.virtualMachine, machine)
    guard stored[id] != nil else { throw EngineError("not-found", "\(id) is not there") }
    switch verb {
    case .start: start(id)
    case .stop: halt(id)
    case .reboot:
      halt(id)
      start(id)
    case .pause: stored[id]?.machine?.state = .paused
    case .resume: stored[id]?.machine?.state = .running
    }
  }

  /// Answers with the input.
  public func execute(
    _ machine: String, _ arguments: [String], input: [UInt8], timeout: Int
  ) -> GuestCommandResult {
    GuestCommandResult(exitCode: 0, output: input, errors: [])
  }

  /// The events, one an act.
  public func events(after sequence: Int64, limit: Int) -> [EngineEvent] {
    Array(log.filter { $0.sequence > sequence }.prefix(limit))
  }

  /// The lock; it goes with the value.
  private final class Lock: EngineLock {
    private let holder: Holder
    private let isReleased = Mutex(false)
    init(holder: Holder) { self.holder = holder }
    deinit { release() }
    func release() {
      // Once: by the second time another may have it.
      let isFirst = isReleased.withLock { released in
        defer { released = true }
        return !released
      }
      if isFirst { holder.command.withLock { $0 = nil } }
    }
  }

  /// Who has the lock.
  private final class Holder: Sendable {
    let command = Mutex<String?>(nil)
  }
}
