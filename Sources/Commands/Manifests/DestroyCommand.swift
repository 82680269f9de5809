internal import ArgumentParser
internal import EngineInterface
internal import Execution
internal import JSON
internal import Manifests
internal import Planning
internal import Resources

struct DestroyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "destroy",
    abstract: "Destroy what manifests declare, named resources, or everything.",
    discussion: "What is protected or still used is refused with exit code 3; the rest goes on.")

  @OptionGroup var global: GlobalOptions
  @OptionGroup var input: FileOptions
  @Argument(help: "Resources such as vm/web1.")
  var what: [String] = []
  @Flag(help: "Everything the engine holds, or with --set everything of that apply set.")
  var all = false
  @OptionGroup var sets: ApplySetOptions
  @OptionGroup var scope: ScopeOptions
  @OptionGroup var running: RunOptions
  @Option(name: .shortAndLong, help: "How it is printed.")
  var output: ReportFormat = .table

  func validate() throws {
    let ways = [all, !what.isEmpty, !input.files.isEmpty].filter { $0 }.count
    guard ways == 1 else {
      throw ValidationError("name what is destroyed in one way: -f FILE, KIND/NAME ... or --all")
    }
    if !what.isEmpty, sets.set != nil {
      throw ValidationError("--set goes with -f or --all; what is named is destroyed in any set")
    }
    if !what.isEmpty, !scope.isEmpty {
      throw ValidationError("--target, --exclude and -l go with -f or --all, not with names")
    }
    if sets.takeOver, input.files.isEmpty {
      throw ValidationError("--take-over goes with -f; all and named resources are of any set")
    }
  }

  func run() async throws {
    let session = try EngineSession.open(global)
    let observed = try await session.engine.observe()
    try await Destruction(
      run: running.planRun(session, "destroy", global.style(of: .errors)), yes: running.yes,
      asJSON: output == .json
    ).carryOut(
      try await target(observed, session), observed, takeOver: sets.takeOver,
      scope: try scope.scope(among: observed.resources.map(\.resource.id)))
  }

  private func target(
    _ observed: ObservedState, _ session: EngineSession
  ) async throws -> DestroyTarget {
    if all { return .all(set: sets.set) }
    if !what.isEmpty { return try Destruction.named(what, observed) }
    let known = Set(observed.resources.map(\.resource.id))
    let loaded = try ManifestInput.load(
      try input.required(), environment: session.environment, known: known,
      style: global.style(of: .errors))
    return .declared(
      loaded.resources.map(\.id), set: sets.set ?? PlanOptions.defaultSet)
  }
}

/// Plans, asks, destroys and tells; what `destroy` and `delete` have in common.
struct Destruction {
  /// How the plan is carried out.
  var run: PlanRun
  /// Whether nobody is asked.
  var yes: Bool
  /// Whether the outcome is printed as JSON.
  var asJSON: Bool

  /// Named resources, all of which must be there.
  static func named(_ words: [String], _ observed: ObservedState) throws -> DestroyTarget {
    .resources(try Addresses.resources(words).map { try observed.resource($0).resource.id })
  }

  /// Does it.
  func carryOut(
    _ target: DestroyTarget, _ observed: ObservedState, takeOver: Bool = false,
    scope: PlanScope = PlanScope()
  ) async throws {
    let plan = Planner.planDestroy(
      target, observed: observed, takeOver: takeOver, scope: scope)
    if !asJSON {
      let lines = plan.isEmpty ? ["Nothing to destroy."] : PlanView(style: run.style).lines(plan)
      for line in lines { TextStream.errors.line(line) }
    }
    try await Approval.ask(plan, command: run.command, yes: yes)
    let result = try await run.execute(plan)
    if asJSON {
      let report = ApplyReport(session: run.session, plan: plan, result: result)
      try await report.show(DesiredState(resources: []), asJSON: true, style: .plain)
    }
    run.tellLeft(result)
    let status = ApplyReport.status(plan, result, nil)
    if status != .done { throw QuietExit(status: status) }
  }
}
