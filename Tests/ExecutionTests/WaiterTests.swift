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
    #expect(result.isMet)
    #expect(result.exitCode == 0)
    #expect(
      states.withLock { $0 } == [
        "VirtualMachine/web is Starting",
        "VirtualMachine/web is Running: no answer; no guest agent is connected",
        "VirtualMachine/web is as wanted at 10.0.2.15",
      ])
  }

  @Test("the probe's timeout ends the wait, and what is missing is said", arguments: [20, nil])
  func timesOut(timeout: Int64?) async throws {
    try await make(
      MachineStatus(state: .running, reason: "the guest agent does not answer"), timeout: timeout)
    let result = try await waiter().wait(for: [web])
    let machine = try #require(result.resources.first)
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
    #expect(result.resources.map(\.verdict) == [.gone, .ended])
    #expect(
      result.resources.map(\.sentence) == [
        "VirtualMachine/none does not exist", "VirtualMachine/web is Crashed: kernel panic",
      ])
    #expect(result.exitCode == 1)
    #expect(clock.now == 5)
  }

  @Test("a stuck guest is given up at once, but for a moment to finish its words")
  func stuck() async throws {
    try await make(
      MachineStatus(
        state: .running, reason: "no answer on port 80", boot: BootProgress(.grubRescue)))
    let result = try await waiter().wait(for: [web])
    let wait = try #require(result.resources.first)
    #expect(wait.verdict == .stuck)
    #expect(wait.waited >= .seconds(2) && wait.waited < .seconds(4))
    #expect(result.exitCode == 1)
    #expect(
      wait.sentence == "VirtualMachine/web is Running: GRUB is in its rescue mode; "
        + "no answer on port 80; no guest agent is connected; no address is known")
  }

  @Test("a guest that gets out by itself is waited for")
  func recovers() async throws {
    try await make(
      MachineStatus(state: .running, boot: BootProgress(.panic, restartsItself: true)))
    let result = try await waiter { [engine, clock, web] _ in
      await engine.change(web) {
        switch clock.now / 1_000_000_000 {
        case 0...4: break
        // One second at a prompt is no being stuck.
        case 5: $0.machine?.boot = BootProgress(.bootLoaderPrompt)
        case 6...8: $0.machine?.boot = BootProgress(.kernel)
        default: $0.machine?.isReady = true
        }
      }
    }.wait(for: [web])
    #expect(result.resources.map(\.verdict) == [.met])
  }

  @Test("conditions, any field, an end and a deletion can be waited for")
  func goals() async throws {
    try await make(
      MachineStatus(
        state: .paused, isReady: false, restartRequired: ["cpu.count"],
        boot: BootProgress(.panic)))
    func verdict(_ goal: WaitGoal) async throws -> (ResourceWait.Verdict, [String]) {
      let result = try await waiter().wait(for: [web], goal, timeout: .seconds(5))
      let wait = try #require(result.resources.first)
      return (wait.verdict, wait.missing)
    }
    #expect(try await verdict(.condition(.paused)) == (.met, []))
    #expect(try await verdict(.condition(.ready, is: false)) == (.met, []))
    #expect(try await verdict(.condition(.restartRequired)) == (.met, []))
    #expect(try await verdict(.condition(.stuck)) == (.met, []))
    // A stuck guest can still be restarted by somebody.
    #expect(
      try await verdict(.condition(.restartRequired, is: false))
        == (.timedOut, ["RestartRequired is True: cpu.count"]))
    #expect(try await verdict(.halted) == (.timedOut, ["it is Paused"]))
    #expect(try await verdict(.deleted) == (.timedOut, ["it is there"]))
    let named = WaitGoal("a name", isMet: { $0.resource.id.name == "x" }, found: { _ in "not x" })
    #expect(try await verdict(named) == (.timedOut, ["not x"]))
    #expect(try await verdict(.condition(.agentConnected)).0 == .stuck)
    await engine.change(web) { $0.machine = MachineStatus(state: .crashed) }
    #expect(try await verdict(.halted).0 == .met)
    _ = try await engine.perform(.delete(web), inputs: nil) { _ in }
    #expect(try await verdict(.deleted).0 == .met)
    #expect(try await verdict(.ready).0 == .gone)
  }

  @Test("waiting for nothing is ready at once")
  func nothing() async throws {
    #expect(try await waiter().wait(for: []).isMet)
  }

  @Test("cancelling ends the wait")
  func cancelled() async throws {
    try await make(MachineStatus(state: .running))
    await #expect(throws: CancellationError.self) {
      _ = try await waiter { _ in throw CancellationError() }.wait(for: [web])
    }
  }
}
