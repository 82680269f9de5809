internal import ArgumentParser
internal import EngineInterface
internal import JSON
internal import Planning
internal import Resources

/// What a plan may do.
struct PlanningOptions: ParsableArguments {
  @Flag(
    help: ArgumentHelp(
      "Restart guests where a field needs it, instead of at their next boot.",
      discussion: "A machine whose updatePolicy.restart is Never is still not restarted: stop it "
        + "first, or change the policy."))
  var restart = false
  @Flag(
    name: .customLong("allow-replace"),
    help: "Destroy machines and make them anew where a field needs it; their own disks are lost.")
  var allowReplace = false
  @Option(
    help: ArgumentHelp(
      "Destroy this resource and make it anew, though nothing asks for it; may be repeated.",
      valueName: "kind/name"))
  var replace: [String] = []
  @Flag(help: "Destroy what belongs to the apply set and no manifest declares.")
  var prune = false
  @OptionGroup var sets: ApplySetOptions

  /// The same for the planner.
  ///
  /// - Throws: `ValidationError` and `Failure` for what no manifest declares.
  func options(_ desired: DesiredState) throws -> PlanOptions {
    let replaced = replace.isEmpty ? [] : try Addresses.resources(replace)
    for id in replaced { try desired.require(id, for: "--replace") }
    return PlanOptions(
      allowRestart: restart, allowReplace: allowReplace, replace: Set(replaced), prune: prune,
      set: sets.set ?? PlanOptions.defaultSet, takeOver: sets.takeOver)
  }
}

/// Which apply set is meant.
struct ApplySetOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The apply set: who made a resource; 'default' where none is named.", valueName: "name"))
  var set: String?
  @Flag(
    name: .customLong("take-over"),
    help: "Act on what belongs to another apply set; what is applied belongs to this one then.")
  var takeOver = false

  func validate() throws {
    if let set, let problem = TextFormat.name.problem(with: set) {
      throw ValidationError("--set: \(problem)")
    }
  }
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
    let plan = Planner.plan(
      desired: desired, observed: observed, options: try planning.options(desired))
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
