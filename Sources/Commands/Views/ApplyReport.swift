internal import EngineInterface
internal import Execution
internal import JSON
internal import Planning
internal import Resources
internal import SystemIO

/// What `apply` leaves on standard output: the machines, or everything as JSON.
struct ApplyReport {
  /// The engine.
  var session: EngineSession
  /// What was to be done.
  var plan: Plan
  /// What came of it.
  var result: ExecutionResult
  /// What came of waiting; nil where nothing was waited for.
  var waited: WaitResult?

  /// Prints it.
  func show(_ desired: DesiredState, asJSON: Bool, style: Style) async throws {
    let names = Set(desired.resources.map(\.id))
    let observed = try await session.engine.observe()
    let machines = observed.resources.filter {
      $0.resource.id.kind == .virtualMachine && names.contains($0.resource.id)
    }
    var report: WaitReport?
    if let waited { report = try await WaitReport(waited, session) }
    if asJSON {
      return TextStream.output.line(json(machines, report).text(pretty: true))
    }
    report?.showConsoles()
    guard !machines.isEmpty else { return }
    let stream = TextStream.output
    if !plan.isEmpty { TextStream.errors.line() }
    let view = GetView(now: session.host.now().seconds, isWide: false)
    for line in view.table(.virtualMachine, machines).lines(width: stream.width, style: style) {
      stream.line(line)
    }
    let hasSSH = machines.first { machine in
      MachinePorts.forwards(machine).contains { $0.guest == 22 }
    }
    if let name = hasSSH?.resource.id.name, stream.isTerminal {
      TextStream.errors.line("\nLog in with: ingot ssh \(name)")
    }
  }

  /// The exit code, the hardest of what happened.
  static func status(_ plan: Plan, _ result: ExecutionResult, _ waited: WaitResult?) -> ExitStatus {
    if result.wasCancelled { return result.doneCount > 0 ? .partlyApplied : .interrupted }
    if !result.isComplete { return ExitStatus(rawValue: result.exitCode) ?? .failed }
    if !plan.refused.isEmpty { return .refused }
    return waited.flatMap { ExitStatus(rawValue: $0.exitCode) } ?? .done
  }

  private func json(_ machines: [ObservedResource], _ waits: WaitReport?) -> JSONValue {
    [
      "format_version": "1.0", "plan": plan.jsonValue,
      "results": .array(result.items.map(json)), "interrupted": .bool(result.wasCancelled),
      "waits": waits?.json ?? [], "machines": .array(machines.map(ObservedJSON.one)),
    ]
  }

  private func json(_ item: ExecutionResult.Item) -> JSONValue {
    var value: JSONValue = [
      "address": .string(item.action.id.description), "action": .string(item.action.act.verb),
      "milliseconds": .integer(milliseconds(item.elapsed)),
    ]
    switch item.outcome {
    case .done(let outcome):
      value["outcome"] = "done"
      value["effect"] = .string(outcome.effect.word)
      value["staged"] = .array(outcome.staged.map(JSONValue.string))
      value["notes"] = .array(outcome.notes.map(JSONValue.string))
    case .failed(let error):
      value["outcome"] = "failed"
      value["code"] = .string(error.code.rawValue)
      value["message"] = .string(error.message)
      value["help"] = JSONValue(error.help)
    case .skipped(let cause):
      value["outcome"] = "skipped"
      value["cause"] = .string(cause.description)
    case .notStarted: value["outcome"] = "not-started"
    }
    return value
  }
}
