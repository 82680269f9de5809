internal import EngineInterface
internal import Execution
internal import JSON
internal import Planning
internal import Resources
internal import SystemIO

/// Options of commands that carry out a plan.
struct PlanRun {
  /// The engine.
  var session: EngineSession
  /// The verb, for the lock and for messages.
  var command: String
  /// How standard error is painted.
  var style: Style
  /// How many acts are under way at most.
  var parallelism: Int
  /// How progress is told.
  var progress: ProgressChoice

  /// Carries a plan out, telling each act on standard error.
  ///
  /// - Throws: `EngineError` where nothing was begun.
  func execute(_ plan: Plan) async throws -> ExecutionResult {
    let reporter = ProgressReporter(progress, style: style, clock: session.host.uptime)
    defer { reporter.finish() }
    let executor = Executor(
      engine: session.engine, parallelism: parallelism, host: session.host)
    return try await executor.run(plan, command: command) { event in
      guard let (work, subject, verb) = PlanRun.translate(event) else { return }
      reporter.report(work, subject, verb)
    }
  }

  /// Waits, telling what each resource is waited for and how far it is.
  func wait(
    for resources: [ResourceID], _ goal: WaitGoal = .ready, timeout: Duration?
  ) async throws -> WaitResult {
    let reporter = ProgressReporter(progress, style: style, clock: session.host.uptime)
    defer { reporter.finish() }
    let verb = goal.words == WaitGoal.ready.words ? "wait" : "wait for \(goal.words)"
    for id in resources { reporter.report(.started, id.description, verb) }
    return try await Waiter(engine: session.engine, host: session.host)
      .wait(for: resources, goal, timeout: timeout) { wait in
        reporter.report(PlanRun.translate(wait), wait.id.description, verb)
      }
  }

  /// An event of execution for the progress board; nil for what is told at the end.
  static func translate(_ event: ExecutionEvent) -> (WorkEvent, String, String)? {
    let action = event.action
    let work: WorkEvent
    switch event {
    case .started: work = .started
    case .progress(_, let progress): work = .progress(progress)
    case .finished(_, let outcome, _):
      let staged = outcome.staged.map { "\($0) takes effect at the next boot" }
      work = .finished(notes: outcome.notes + staged)
    case .failed(_, let error, _): work = .failed(message: ErrorReport(error).text(.plain))
    case .skipped(_, let cause): work = .skipped(because: "\(cause) failed")
    case .notStarted: work = .skipped(because: "interrupted")
    }
    return (work, action.id.description, action.act.verb)
  }

  private static func translate(_ wait: ResourceWait) -> WorkEvent {
    switch wait.verdict {
    case .waiting:
      let stage = wait.boot.map { "\($0.stage.rawValue): " } ?? ""
      let missing = wait.missing.joined(separator: "; ")
      return .progress(ActProgress(phase: stage + (missing.isEmpty ? "waiting" : missing)))
    case .met: return .finished(notes: [])
    case .timedOut, .ended, .stuck, .gone: return .failed(message: wait.sentence)
    }
  }

  /// Tells what is left after an incomplete run.
  func tellLeft(_ result: ExecutionResult) {
    // That what is destroyed is gone needs no warning.
    let destroyed = result.items.compactMap { item -> String? in
      if case .delete(let id) = item.action.act { "\(id):" } else { nil }
    }
    for warning in result.warnings where !destroyed.contains(where: warning.hasPrefix) {
      TextStream.errors.line("warning: \(warning)")
    }
    guard !result.isComplete else { return }
    let left = result.left.map { "\(ActWords($0.act.verb).order) \($0.id)" }
    TextStream.errors.line("\nLeft to do, run the command again to go on:")
    for line in left { TextStream.errors.line("  \(line)") }
  }
}
