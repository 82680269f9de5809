internal import ArgumentParser
internal import Diagnostics
internal import EngineInterface
internal import JSON
internal import Manifests
internal import Planning
internal import Resources
internal import SystemIO

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
  @OptionGroup var scope: ScopeOptions

  /// Whether nothing is asked for.
  var isEmpty: Bool {
    !restart && !allowReplace && replace.isEmpty && !prune && sets.set == nil && !sets.takeOver
      && scope.isEmpty
  }

  func validate() throws { if !replace.isEmpty { _ = try Addresses.resources(replace) } }

  /// The same for the planner.
  ///
  /// - Throws: `ValidationError` and `Failure` for what is not there.
  func options(_ desired: DesiredState, _ observed: ObservedState) throws -> PlanOptions {
    let declared = desired.resources.map(\.id)
    let replaced = replace.isEmpty ? [] : try Addresses.resources(replace)
    for id in replaced { try declared.require(id, for: "--replace") }
    // What left the manifests can still be pruned by its name.
    let prunable = prune ? observed.resources.map(\.resource.id) : []
    let scope = try scope.scope(among: declared + prunable)
    return PlanOptions(
      allowRestart: restart, allowReplace: allowReplace, replace: Set(replaced), prune: prune,
      set: sets.set ?? PlanOptions.defaultSet, takeOver: sets.takeOver,
      scope: scope)
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
      replace (destroyed and made anew), refused. Exit code 3 where anything is refused. With \
      -o FILE the plan is saved too, for 'ingot show' and 'ingot apply'.
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var input: FileOptions
  @OptionGroup var planning: PlanningOptions

  func validate() throws {
    guard case .file(let path) = output, let near = nearest(to: path, among: ["table", "json"])
    else { return }
    // A slip of the finger must not become a file.
    throw ValidationError("-o \(path): did you mean \(near)? To save it there, write ./\(path)")
  }

  @Flag(name: .customLong("detailed-exitcode"), help: "Exit with 2 where there is something to do.")
  var detailedExitCode = false
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "How it is printed: table or json; any other word is a file that the plan is saved to.",
      valueName: "table|json|file"),
    completion: .file())
  var output: PlanOutput = .table

  func run() async throws {
    let files = try input.required()
    let session = try EngineSession.open(global)
    let (loaded, observed) = try await session.loaded(
      files, style: global.style(of: .errors))
    let desired = try await session.desired(loaded)
    let plan = Planner.plan(
      desired: desired, observed: observed, options: try planning.options(desired, observed))
    if case .file(let path) = output {
      try SavedPlanFile.write(
        SavedPlan(
          plan, created: session.host.now().seconds,
          manifests: SavedPlanFile.digests(of: loaded.sources)), to: path)
    }
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
    if case .file(let path) = output {
      TextStream.errors.line("\nSaved; carry it out with: ingot apply \(path)")
    }
  }
}

/// Where a plan goes.
enum PlanOutput: ExpressibleByArgument, Hashable {
  case table, json
  /// Printed as a table, and saved.
  case file(String)

  init?(argument: String) {
    switch argument {
    case "table": self = .table
    case "json": self = .json
    case "": return nil
    default: self = .file(argument)
    }
  }

  var defaultValueDescription: String { "table" }
}
