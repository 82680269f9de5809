import EngineInterface
import Execution
import JSON
import Planning
import Resources
import Synchronization
import SystemIO
import TestSupport
import Testing

/// Keeps what is told, in order.
final class Told: Sendable {
  private let log = Mutex<[ExecutionEvent]>([])
  var events: [ExecutionEvent] { log.withLock { $0 } }
  func add(_ event: ExecutionEvent) { log.withLock { $0.append(event) } }

  /// The events in words: `finished VirtualMachine/web`.
  var words: [String] {
    events.compactMap { event in
      let id = event.action.id
      return switch event {
      case .started: "started \(id)"
      case .progress: nil
      case .finished: "finished \(id)"
      case .failed: "failed \(id)"
      case .skipped(_, let cause): "skipped \(id) for \(cause)"
      case .notStarted: "not started \(id)"
      }
    }
  }
}

@Suite("Executing a plan")
struct ExecutorTests {
  static let host = HostContext.live()
  static let image = Resource.normalized(
    .image, "debian", ["source": ["archive": ["path": "/d.tar"]]])

  static func machine(_ name: String, image: String = "debian") -> Resource {
    .normalized(
      .virtualMachine, name, ["disks": [["name": "root", "image": .string(image)]]])
  }

  static func pools(_ count: Int) -> [Resource] {
    (0..<count).map { .normalized(.storagePool, "p\($0)") }
  }

  private func plan(_ resources: [Resource], _ engine: MemoryEngine) async -> Plan {
    Planner.plan(
      desired: DesiredState(resources: resources), observed: await engine.observe())
  }

  @Test("all is done, in an order that dependencies allow, and told as it happens")
  func done() async throws {
    let engine = MemoryEngine()
    let plan = await plan([Self.machine("web"), Self.image], engine)
    let told = Told()
    let result = try await Executor(engine: engine, host: Self.host).run(plan) { told.add($0) }
    #expect(
      told.words == [
        "started Image/debian", "finished Image/debian", "started VirtualMachine/web",
        "finished VirtualMachine/web",
      ])
    #expect(result.doneCount == 2)
    #expect(result.isComplete)
    #expect(result.exitCode == 0)
    #expect(result.warnings.isEmpty)
    #expect(told.events.contains { if case .progress = $0 { true } else { false } })
    #expect(await self.plan([Self.machine("web"), Self.image], engine).isEmpty)
  }

  @Test("a failure takes its dependants, and only them")
  func failure() async throws {
    let engine = MemoryEngine()
    let other = Resource.normalized(.image, "other", ["source": ["image": "debian"]])
    let resources = [
      Self.image, other, Self.machine("a", image: "other"), Self.machine("b"),
      .normalized(.volume, "v", ["size": .integer(1 << 30)]),
    ]
    let plan = await plan(resources, engine)
    await engine.fail(other.id, .before(EngineError("no-space", "the disk is full")))
    let told = Told()
    let result = try await Executor(engine: engine, host: Self.host).run(plan) { told.add($0) }
    #expect(told.words.contains("skipped VirtualMachine/a for Image/other"))
    #expect((result.doneCount, result.failedCount, result.skippedCount) == (3, 1, 1))
    #expect(result.exitCode == 5)
    #expect(result.left.map(\.id.description) == ["Image/other", "VirtualMachine/a"])
    let second = await self.plan(resources, engine)
    #expect(second.actions.map(\.id) == result.left.map(\.id))
  }

  @Test("what fails at the first act is exit code 1; an act cut short is taken up again")
  func firstFails() async throws {
    let engine = MemoryEngine()
    let resources = [Self.image, Self.machine("a")]
    let first = await plan(resources, engine)
    await engine.fail(Self.image.id, .halfway(EngineError("killed", "killed")))
    let result = try await Executor(engine: engine, host: Self.host).run(first)
    #expect(result.exitCode == 1)
    #expect(result.skippedCount == 1)
    let second = await plan(resources, engine)
    #expect(second.actions.first?.reason.code == .incomplete)
    #expect(try await Executor(engine: engine, host: Self.host).run(second).exitCode == 0)
  }

  @Test("no more acts are under way than allowed, and as many as that", arguments: [1, 3, 8])
  func parallelism(limit: Int) async throws {
    let engine = MemoryEngine()
    let gate = Gate(opensAt: limit)
    await engine.beforeEach { _ in await gate.pass() }
    let plan = await plan(Self.pools(limit * 3), engine)
    let result = try await Executor(engine: engine, parallelism: limit, host: Self.host).run(plan)
    #expect(result.isComplete)
    #expect(await engine.mostAtOnce == limit)
  }

  @Test("after a cancellation nothing begins, what is under way ends, and the rest is named")
  func cancellation() async throws {
    let engine = MemoryEngine()
    let reached = Gate(opensAt: 3)
    await engine.beforeEach { act in
      await reached.pass()
      // Both ways an engine may end a cancelled act: finish it, or undo it.
      while !Task.isCancelled { await Task.yield() }
      if act.id.name == "p1" { throw CancellationError() }
    }
    let plan = await plan(Self.pools(9), engine)
    let told = Told()
    let run = Task {
      try await Executor(engine: engine, parallelism: 2, host: Self.host).run(plan) {
        told.add($0)
      }
    }
    await reached.pass()
    run.cancel()
    let result = try await run.value
    #expect(result.wasCancelled)
    #expect((result.doneCount, result.failedCount, result.notStartedCount) == (1, 1, 7))
    #expect(result.exitCode == 5)
    #expect(result.left.count == 8)
    #expect(told.words.filter { $0.hasPrefix("not started") }.count == 7)
    guard case .failed(let error) = result.items[1].outcome else {
      Issue.record("p1 should have been undone")
      return
    }
    #expect(error.code == "cancelled")
  }

  @Test("a plan for another engine or of another time is refused with nothing done")
  func stale() async throws {
    let engine = MemoryEngine()
    let first = await plan([Self.image], engine)
    _ = try await engine.perform(.create(Self.pools(1)[0]), inputs: nil) { _ in }
    var foreign = await plan([Self.image], engine)
    foreign.engineID = "another"
    for plan in [first, foreign] {
      let error = await #expect(throws: EngineError.self) {
        try await Executor(engine: engine, host: Self.host).run(plan)
      }
      #expect(error?.code == "stale-plan")
    }
    #expect(await engine.done.count == 1)
  }

  @Test("two can't change things at once")
  func locked() async throws {
    let engine = MemoryEngine()
    let lock = try await engine.lock(for: "other")
    let plan = await plan([Self.image], engine)
    let error = await #expect(throws: EngineError.self) {
      try await Executor(engine: engine, host: Self.host).run(plan)
    }
    #expect(error?.code == "busy")
    lock.release()
  }

  @Test("an effect harder than promised is a warning")
  func harder() async throws {
    let engine = MemoryEngine()
    let old = Self.machine("a")
    let setup = await plan([Self.image, old], engine)
    _ = try await Executor(engine: engine, host: Self.host).run(setup)
    var action = PlannedAction(
      .update(old.with("memory.guest", .integer(1 << 30)), restart: true),
      reason: PlanReason(.changed, "memory.guest differs"), effect: .live)
    action.dependencies = []
    let plan = Plan(
      engineID: "memory", generation: await engine.observe().generation, actions: [action])
    let result = try await Executor(engine: engine, host: Self.host).run(plan)
    #expect(
      result.warnings == [
        "VirtualMachine/a: the plan promised 'live', what happened is 'restart'"
      ])
  }

  @Test("an empty plan needs no lock")
  func empty() async throws {
    let engine = MemoryEngine()
    let lock = try await engine.lock(for: "other")
    let result = try await Executor(engine: engine, host: Self.host).run(await plan([], engine))
    #expect(result.exitCode == 0)
    lock.release()
  }
}

/// Lets those who pass wait until a number of them is there; later ones go through.
actor Gate {
  private let number: Int
  private var arrived = 0
  private var waiting: [CheckedContinuation<Void, Never>] = []

  init(opensAt number: Int) { self.number = number }

  func pass() async {
    arrived += 1
    if arrived >= number {
      for other in waiting { other.resume() }
      waiting = []
    } else {
      await withCheckedContinuation { waiting.append($0) }
    }
  }
}
