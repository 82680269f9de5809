import EmbeddedEngine
import FaultPoints
import FaultScenarios
import Glibc
import Synchronization
import SystemIO
import TestSupport
import Testing

/// Ends the command, the monitor and QEMU by SIGKILL before and after every lasting step.
///
/// `INGOT_FAULTS=all` takes every step, else some are drawn: `INGOT_FAULTS` of them.
/// `INGOT_FAULT_SCENARIO` takes the scenarios with a word in their names, `INGOT_FAULT_PLACE` the
/// steps; then all of these. `INGOT_FAULT_SAMPLE` is the number of deaths beside real guests, and
/// `INGOT_TEST_SEED` chooses what is drawn.
@Suite("A death at every step", .serialized) struct FaultInjectionTests {
  private typealias Found = (scenario: Scenario, steps: [FaultPoints.Fault])
  private typealias Job = (scenario: Scenario, fault: FaultPoints.Fault)

  @Test("nothing is lost, orphaned or lied about, and the next act completes what was cut short")
  func everyStep() async throws {
    let programs = try FaultRun.programs(realGuests: false)
    let accelerator = try await Self.accelerator(programs)
    let start = ContinuousClock.now
    let found = await steps(of: Self.scenarios, programs, accelerator)
    let jobs = Self.chosen(found)
    let steps = found.reduce(0) { $0 + $1.steps.count }
    print("fault injection: \(found.count) scenarios, \(steps) steps, \(jobs.count) deaths to come")
    let tally = Mutex(Tally())
    await forEach(jobs) { scenario, fault in
      let isWell = await Self.report(scenario, fault) {
        func tryOut() async throws {
          let run = try await FaultRun(scenario, programs: programs, accelerator: accelerator)
          defer { run.cleanUp() }
          let hasStruck = try await run.strike(fault)
          tally.withLock { $0.unreached += hasStruck ? 0 : 1 }
          try await run.check(after: fault.victim)
        }
        do {
          try await tryOut()
        } catch is Unreached {
          // It shows nothing; on a busy host a monitor's steps and its guest's mix in other ways.
          try await tryOut()
        }
      }
      tally.withLock { $0.count(scenario, isWell) }
    }
    print(
      """
      fault injection: \(steps) steps of \(found.count) scenarios, \
      \((ContinuousClock.now - start).components.seconds) s; \(tally.withLock { $0.words(jobs.map(\.fault)) })
      """)
  }

  /// What became of the deaths.
  private struct Tally {
    var over = 0
    /// Runs in which nothing died, where that may be.
    var unreached = 0
    var failed: [String: Int] = [:]

    mutating func count(_ scenario: Scenario, _ isWell: Bool) {
      over += 1
      if !isWell { failed[scenario.description, default: 0] += 1 }
      if over.isMultiple(of: 250) { print("fault injection: \(over) deaths are over") }
    }

    func words(_ faults: [FaultPoints.Fault]) -> String {
      let victims = FaultPoints.Victim.allCases.map { victim in
        "\(faults.count { $0.victim == victim }) of \(victim)"
      }
      let failed = failed.sorted { $0.key < $1.key }.map { "\($0.value) of '\($0.key)'" }
      return """
        \(faults.count) deaths (\(victims.joined(separator: ", ")); \(unreached) steps not reached), \
        failed: \(failed.isEmpty ? "none" : failed.joined(separator: ", "))
        """
    }
  }

  /// The deaths to try.
  private static func chosen(_ found: [Found]) -> [Job] {
    let all = found.flatMap { scenario, steps in
      steps.map { (scenario: scenario, fault: $0) }
    }
    let wanted = variable("INGOT_FAULTS")
    let place = variable("INGOT_FAULT_PLACE")
    if wanted == "all" || !place.isEmpty || !variable("INGOT_FAULT_SCENARIO").isEmpty {
      return all.filter { place.isEmpty || $0.fault.place.contains(place) }
    }
    var random = SeededGenerator(seed: seed)
    print("fault injection: some deaths, drawn with seed \(seed)")
    return Array(all.shuffled(using: &random).prefix(Int(wanted) ?? 100))
  }

  private static let seed = UInt64(variable("INGOT_TEST_SEED")) ?? UInt64(time(nil))

  @Test("the same holds for a sample of deaths beside real guests")
  func realGuests() async throws {
    let count = Int(Self.variable("INGOT_FAULT_SAMPLE")) ?? 6
    print("fault injection: \(count) deaths beside real guests with seed \(Self.seed)")
    var random = SeededGenerator(seed: Self.seed)
    let programs = try FaultRun.programs(realGuests: true)
    let accelerator = try await Self.accelerator(programs)
    let guests = Self.scenarios.filter { !$0.states.isEmpty }
    var drawn: [Scenario] = []
    for _ in 0..<count { drawn += guests.randomElement(using: &random).map { [$0] } ?? [] }
    let names = Set(drawn.map(\.description))
    let found = await steps(
      of: guests.filter { names.contains($0.description) }, programs, accelerator)
    var jobs: [(scenario: Scenario, fault: FaultPoints.Fault, delay: Int)] = []
    for scenario in drawn {
      let steps = found.first { $0.scenario.description == scenario.description }?.steps ?? []
      let delay = Int.random(in: 0..<1200, using: &random)
      // One in four shoots the guest itself, which has no steps that could be told of.
      let isShot = Int.random(in: 0..<4, using: &random) == 0
      let shot = FaultPoints.Fault(.qemu, "after \(delay) ms", occurrence: 1)
      guard let fault = isShot ? shot : steps.randomElement(using: &random) else { continue }
      jobs.append((scenario, fault, delay))
    }
    let tally = Mutex(Tally())
    await forEach(jobs) { scenario, fault, delay in
      let isWell = await Self.report(scenario, fault) {
        let run = try await FaultRun(scenario, programs: programs, accelerator: accelerator)
        defer { run.cleanUp() }
        // What a real guest does takes its time, and sometimes another way.
        let hasStruck =
          fault.victim == .qemu
          ? try await run.strikeGuests(afterMilliseconds: delay)
          : try await run.strike(fault, mustStrike: fault.victim == .command)
        tally.withLock { $0.unreached += hasStruck ? 0 : 1 }
        try await run.check(after: fault.victim)
      }
      tally.withLock { $0.count(scenario, isWell) }
    }
    print("fault injection: beside real guests, \(tally.withLock { $0.words(jobs.map(\.fault)) })")
  }

  private static var scenarios: [Scenario] {
    let word = variable("INGOT_FAULT_SCENARIO")
    return Scenario.all.filter { word.isEmpty || $0.description.contains(word) }
  }

  /// The steps of scenarios, found out by runs in which nothing dies.
  private func steps(
    of scenarios: [Scenario], _ programs: ProgramPaths, _ accelerator: String?
  ) async -> [Found] {
    let found = Mutex<[Found]>([])
    await forEach(scenarios) { scenario in
      await Self.report(scenario, nil) {
        let run = try await FaultRun(scenario, programs: programs, accelerator: accelerator)
        defer { run.cleanUp() }
        try await run.strike(nil)
        let steps = FaultPoints.steps(in: run.root)
        try await run.check()
        #expect(steps.count >= 4, "\(scenario) has steps")
        found.withLock { $0.append((scenario, steps)) }
      }
    }
    return found.withLock { $0 }.sorted { $0.scenario.description < $1.scenario.description }
  }

  private static func variable(_ name: String) -> String {
    getenv(name).map { String(cString: $0) } ?? ""
  }

  /// - Returns: whether all was well.
  @discardableResult
  private static func report(
    _ scenario: Scenario, _ fault: FaultPoints.Fault?, _ body: () async throws -> Void
  ) async -> Bool {
    do {
      try await body()
      return true
    } catch {
      Issue.record("\(scenario): \(fault.map { "\($0)" } ?? "nothing dies"): \(error)")
      return false
    }
  }

  /// Some of the work at a time, so that a run's limits of time hold.
  private func forEach<Item: Sendable>(
    _ items: [Item], _ body: @escaping @Sendable (Item) async -> Void
  ) async {
    let atOnce = 2 * max(1, HostContext.live().processors)
    await withTaskGroup(of: Void.self) { group in
      for (index, item) in items.enumerated() {
        if index >= atOnce { await group.next() }
        group.addTask { await body(item) }
      }
    }
  }

  /// Found out once: the probe keeps a processor busy for a while.
  private static func accelerator(_ programs: ProgramPaths) async throws -> String? {
    let scratch = try Scratch()
    return try Site(root: scratch.path, programs: programs).engine.acceleratorFact()
  }
}
