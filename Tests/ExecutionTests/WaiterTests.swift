import EngineInterface
import Execution
import JSON
import Resources
import Synchronization
import SystemIO
import TestSupport
import Testing

@Suite("Waiting for machines")
struct WaiterTests {
  /// A clock that only sleeping moves.
  final class Clock: Sendable {
    private let nanoseconds = Mutex<UInt64>(5)
    var now: UInt64 { nanoseconds.withLock { $0 } }
    func sleep(_ duration: Duration) {
      let parts = duration.components
      nanoseconds.withLock {
        $0 += UInt64(parts.seconds) * 1_000_000_000 + UInt64(parts.attoseconds / 1_000_000_000)
      }
    }
    var host: HostContext {
      HostContext(
        now: { Timestamp(seconds: 0) }, uptime: { self.now },
        randomBytes: { [UInt8](repeating: 0, count: $0) }, bootID: "", processors: 1, memory: 1)
    }
  }

  let engine = MemoryEngine()
  let clock = Clock()
  let web = ResourceID(.virtualMachine, "web")

  private func make(_ state: MachineStatus, timeout: Int64? = nil) async throws {
    var spec: JSONValue = ["disks": [["name": "d", "size": .integer(1 << 30)]]]
    if let timeout {
      spec["readinessProbe"] = ["guestAgent": [:], "timeout": .integer(timeout)]
    }
    let machine = Resource.normalized(.virtualMachine, "web", spec)
    _ = try await engine.perform(.create(machine), inputs: nil) { _ in }
    await engine.change(web) { $0.machine = state }
  }

  private func waiter(_ onSleep: @escaping @Sendable (Duration) async throws -> Void = { _ in })
    -> Waiter
  {
    Waiter(engine: engine, host: clock.host) {
      clock.sleep($0)
      try await onSleep($0)
    }
  }

  @Test("a machine that becomes ready is told of on the way")
  func becomesReady() async throws {
    try await make(MachineStatus(state: .starting))
    let states = Mutex<[String]>([])
    let result = try await waiter { [engine, clock, web] _ in
      await engine.change(web) {
        $0.machine = MachineStatus(
          state: .running, isReady: clock.now > 2_000_000_000, reason: "no answer",
          addresses: ["10.0.2.15"])
      }
    }.wait(for: [web, web]) { state in states.withLock { $0.append(state.sentence) } }
    #expect(result.isReady)
    #expect(result.exitCode == 0)
    #expect(
      states.withLock { $0 } == [
        "VirtualMachine/web is Starting",
        "VirtualMachine/web is Running: no answer; addresses 10.0.2.15",
        "VirtualMachine/web is ready at 10.0.2.15",
      ])
  }

  @Test("the probe's timeout ends the wait, and what is missing is said", arguments: [20, nil])
  func timesOut(timeout: Int64?) async throws {
    try await make(
      MachineStatus(state: .running, reason: "the guest agent does not answer"), timeout: timeout)
    let result = try await waiter().wait(for: [web])
    let machine = try #require(result.machines.first)
    #expect(machine.verdict == .timedOut)
    #expect(machine.waited >= .seconds(timeout ?? Waiter.defaultTimeout))
    #expect(machine.waited < .seconds((timeout ?? Waiter.defaultTimeout) + 2))
    #expect(result.exitCode == 4)
    #expect(
      machine.sentence
        == "VirtualMachine/web is Running: the guest agent does not answer; no address is known")
  }

  @Test("a guest that ended isn't waited for, nor one that doesn't exist")
  func ended() async throws {
    try await make(MachineStatus(state: .crashed, reason: "kernel panic"))
    let none = ResourceID(.virtualMachine, "none")
    let result = try await waiter().wait(for: [web, none], timeout: .seconds(900))
    #expect(result.machines.map(\.verdict) == [.gone, .ended])
    #expect(
      result.machines.map(\.sentence) == [
        "VirtualMachine/none does not exist", "VirtualMachine/web is Crashed: kernel panic",
      ])
    #expect(result.exitCode == 1)
    #expect(clock.now == 5)
  }

  @Test("waiting for nothing is ready at once")
  func nothing() async throws {
    #expect(try await waiter().wait(for: []).isReady)
  }

  @Test("cancelling ends the wait")
  func cancelled() async throws {
    try await make(MachineStatus(state: .running))
    await #expect(throws: CancellationError.self) {
      _ = try await waiter { _ in throw CancellationError() }.wait(for: [web])
    }
  }
}
