internal import ArgumentParser
internal import EngineInterface
internal import Execution
internal import JSON
internal import Planning
internal import Resources

/// How a plan is carried out.
struct RunOptions: ParsableArguments {
  @Flag(name: [.long, .customLong("auto-approve")], help: "Do not ask.")
  var yes = false
  @Option(help: "How many acts are under way at the same time at most.")
  var parallelism = 10
  @Option(help: "How progress is told: auto, plain, json (lines on standard error) or none.")
  var progress: ProgressChoice = .auto

  func validate() throws {
    guard (1...1000).contains(parallelism) else {
      throw ValidationError("--parallelism is \(parallelism); it must be between 1 and 1000")
    }
  }

  /// The same with the engine.
  func planRun(_ session: EngineSession, _ command: String, _ style: Style) -> PlanRun {
    PlanRun(
      session: session, command: command, style: style, parallelism: parallelism,
      progress: progress)
  }
}

struct ApplyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apply", abstract: "Bring the engine to what manifests declare.",
    discussion: """
      The plan is shown first and asked about; then its acts run in parallel, and machines are \
      waited for until they are ready. Exit code 5 where only a part was done; the next apply goes \
      on. A plan that 'ingot plan -o FILE' saved is carried out just as it is, or refused where \
      the engine was changed since.
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: "A saved plan, instead of manifests.", completion: .file())
  var plan: String?
  @OptionGroup var input: FileOptions
  @OptionGroup var planning: PlanningOptions
  @OptionGroup var running: RunOptions
  @Flag(inversion: .prefixedNo, help: "Wait until machines are ready.")
  var wait = true
  @Option(help: "How long each machine may take to be ready; its probe says so by default.")
  var timeout: DurationArgument?
  @Option(name: .shortAndLong, help: "How it is printed.")
  var output: ReportFormat = .table

  func validate() throws {
    guard let plan else { return }
    guard input.files.isEmpty else {
      throw ValidationError("-f and the saved plan \(plan) exclude each other")
    }
    guard planning.isEmpty else {
      throw ValidationError("what \(plan) may do was decided when it was made; plan anew instead")
    }
  }

  /// The plan, and the resources it brings about.
  private func made(_ session: EngineSession, _ style: Style) async throws -> (Plan, DesiredState) {
    if let path = plan {
      let plan = try SavedPlanFile.read(path).plan
      try Executor.refuseStale(plan, try await session.engine.observe())
      return (plan, DesiredState(resources: plan.actions.compactMap(\.act.resource)))
    }
    let files = try input.required()
    let (loaded, observed) = try await session.loaded(files, style: style)
    let desired = try await session.desired(loaded)
    let plan = Planner.plan(
      desired: desired, observed: observed, options: try planning.options(desired, observed))
    return (plan, desired)
  }

  func run() async throws {
    let style = global.style(of: .errors)
    let session = try EngineSession.open(global)
    let (plan, desired) = try await made(session, style)
    if output != .json {
      for line in PlanView(style: style).lines(plan) { TextStream.errors.line(line) }
    }
    try await Approval.ask(plan, command: "apply", yes: running.yes)
    let run = running.planRun(session, "apply", style)
    let result = try await run.execute(plan)
    let machines = machinesToWaitFor(desired, result, plan)
    var waited: WaitResult?
    if wait, !result.wasCancelled, !machines.isEmpty {
      waited = try await run.wait(for: machines, timeout: timeout?.duration)
    }
    try await ApplyReport(session: session, plan: plan, result: result, waited: waited)
      .show(desired, asJSON: output == .json, style: global.style(of: .output))
    run.tellLeft(result)
    let status = ApplyReport.status(plan, result, waited)
    if status != .done { throw QuietExit(status: status) }
  }

  /// The declared machines that shall run and of which nothing failed.
  private func machinesToWaitFor(
    _ desired: DesiredState, _ result: ExecutionResult, _ plan: Plan
  ) -> [ResourceID] {
    let left = Set(result.left.map(\.id)).union(plan.refused.map(\.id))
    return desired.resources.filter { resource in
      let strategy = resource.spec["runStrategy"]?.string
      return resource.id.kind == .virtualMachine && !left.contains(resource.id)
        && (strategy == "Always" || strategy == "RerunOnFailure")
    }.map(\.id)
  }
}
