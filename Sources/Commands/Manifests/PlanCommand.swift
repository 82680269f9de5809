internal import ArgumentParser
internal import EngineInterface
internal import JSON
internal import Planning
internal import Resources

/// What a plan may do.
struct PlanningOptions: ParsableArguments {
  @Flag(help: "Allow guests to be restarted where a field needs it, instead of at the next boot.")
  var restart = false
  @Flag(help: "Destroy what the engine holds and no manifest declares.")
  var prune = false

  /// The same for the planner.
  var options: PlanOptions { PlanOptions(allowRestart: restart, prune: prune) }
}

struct PlanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Show what apply would do, and what that does to running guests.",
    discussion: """
      Effects: live (at once), next-boot (stored until the guest is started again), restart, \
      replace (destroyed and made anew), refused. Exit code 3 where anything is refused.
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var input: FileOptions
  @OptionGroup var planning: PlanningOptions
  @Flag(name: .customLong("detailed-exitcode"), help: "Exit with 2 where there is something to do.")
  var detailedExitCode = false
  @Option(name: .shortAndLong, help: "How it is printed.")
  var output: ReportFormat = .table

  func run() async throws {
    let files = try input.required()
    let session = try EngineSession.open(global)
    let observed = try await session.engine.observe()
    let desired = try await session.desired(
      files, observed: observed, style: global.style(of: .errors))
    let plan = Planner.plan(desired: desired, observed: observed, options: planning.options)
    show(plan)
    if !plan.refused.isEmpty { throw QuietExit(status: .refused) }
    if detailedExitCode, !plan.actions.isEmpty { throw QuietExit(status: .changes) }
  }

  private func show(_ plan: Plan) {
    guard output != .json else {
      return TextStream.output.line(plan.jsonValue.text(pretty: true))
    }
    let view = PlanView(style: global.style(of: .output))
    for line in view.lines(plan) { TextStream.output.line(line) }
  }
}
