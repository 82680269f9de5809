import EngineInterface
import Execution
import Planning
import Resources
import SystemIO
import TestSupport
import Testing

@Suite("What holds for every execution")
struct ExecutionPropertyTests {
  @Test(
    "whatever fails, every action is accounted for, and repeating reaches the end",
    arguments: 0..<100)
  func failures(seed: Int) async throws {
    var generator = ResourceGenerator(seed: UInt64(seed))
    let engine = MemoryEngine()
    let first = generator.resources()
    let second = generator.resources()
    for (resources, options) in [
      (first, PlanOptions()), (second, PlanOptions(allowReplace: true, prune: true)),
    ] {
      var isComplete = false
      for _ in 0..<50 where !isComplete {
        let plan = Planner.plan(
          desired: DesiredState(resources: resources), observed: await engine.observe(),
          options: options)
        for action in plan.actions where generator.random.oneIn(6) {
          let error = EngineError("test", "told to")
          await engine.fail(
            action.id,
            generator.random.oneIn(2) && !action.isDelete ? .halfway(error) : .before(error))
        }
        let told = Told()
        let result = try await Executor(
          engine: engine, parallelism: 1 + Int(generator.random.next() % 4), host: .live()
        ).run(plan) { told.add($0) }
        check(plan, result, told, "seed \(seed)")
        isComplete = result.isComplete
      }
      let rest = Planner.plan(
        desired: DesiredState(resources: resources), observed: await engine.observe(),
        options: options)
      #expect(isComplete && rest.isEmpty, "seed \(seed)")
    }
  }

  private func check(
    _ plan: Plan, _ result: ExecutionResult, _ told: Told, _ comment: Comment
  ) {
    #expect(result.items.map(\.action) == plan.actions, comment)
    #expect(
      result.doneCount + result.failedCount + result.skippedCount == plan.actions.count, comment)
    // Skipped is just what depends, directly or not, on what failed.
    var fallen: Set<ResourceID> = []
    for item in result.items {
      let isBereft = item.action.dependencies.contains(where: fallen.contains)
      switch item.outcome {
      case .done: #expect(!isBereft, comment)
      case .failed: fallen.insert(item.action.id)
      case .skipped(let cause):
        #expect(isBereft && fallen.contains(cause), comment)
        fallen.insert(item.action.id)
      case .notStarted: Issue.record("nothing was cancelled")
      }
    }
    let ends = told.words.filter { !$0.hasPrefix("started") }
    #expect(ends.count == plan.actions.count, comment)
  }
}

extension PlannedAction {
  fileprivate var isDelete: Bool { if case .delete = act { true } else { false } }
}
