import EmbeddedEngine
import EngineInterface
import Execution
import FaultScenarios
import Planning
import Resources
import Synchronization
import SystemIO
import Testing

/// Trouble that kills nobody.
@Suite("Two at once, and clocks that jump", .serialized) struct TroubleTests {
  @Test(
    "Of two applies at once each is done, or refused with the reason; then all is as declared",
    arguments: ["apply a site", "restart for a change", "destroy a site"])
  func twoAtOnce(_ name: String) async throws {
    let scenario = try #require(Scenario.named(name))
    let programs = try FaultRun.programs(realGuests: false)
    for delay in [0, 20, 80] {
      let run = try await FaultRun(scenario, programs: programs, accelerator: nil)
      defer { run.cleanUp() }
      async let first = run.command()
      try await Task.sleep(for: .milliseconds(delay))
      let answers = [try await run.command(), try await first]
      #expect(answers.contains { $0.end == .exited(0) })
      for answer in answers where answer.end != .exited(0) {
        let words = String(decoding: answer.output, as: UTF8.self)
        // Both had planned before one of them began, or the other holds the lock.
        #expect(
          words.contains("the engine is being changed by `ingot apply`, process ")
            || words.contains("something was changed since"), "\(words)")
      }
      try await run.check()
    }
  }

  @Test("A clock that jumps by a day, back and forth, disturbs nothing")
  func jumpingClock() async throws {
    let scenario = try #require(Scenario.named("create a running machine"))
    let programs = try FaultRun.programs(realGuests: false)
    let run = try await FaultRun(scenario, programs: programs, accelerator: nil)
    defer { run.cleanUp() }
    let real = HostContext.live()
    let calls = Mutex(0)
    var host = real
    host.now = {
      let number = calls.withLock { calls in
        calls += 1
        return calls
      }
      var time = real.now()
      time.seconds += number.isMultiple(of: 2) ? 86_400 : -86_400
      return time
    }
    do {
      let site = try Site(root: run.root, programs: programs, host: host)
      try await site.perform(scenario.operation)
      let waited = try await Waiter(engine: site.engine, host: host)
        .wait(for: [ResourceID(.virtualMachine, "vm")], timeout: .seconds(60))
      #expect(waited.isMet)
      try await site.perform(.control("vm", .reboot(force: true)))
      try await site.perform(.control("vm", .stop(grace: nil)))
      try await site.perform(.control("vm", .start))
      let events = try await site.engine.events(after: 0, limit: 1000)
      #expect(events.map(\.sequence) == events.map(\.sequence).sorted())
      let reasons = events.filter { $0.id?.kind == .virtualMachine }.map(\.reason)
      #expect(reasons.first == "Created" || reasons.first == "Started")
      #expect(try await site.plan(scenario.after).isEmpty)
      #expect(try await site.engine.audit() == [])
    }
    try await run.check()
  }
}
