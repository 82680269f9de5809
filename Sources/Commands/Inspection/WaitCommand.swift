internal import ArgumentParser
internal import EngineInterface
internal import Execution
internal import JSON
internal import Resources

struct WaitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wait", abstract: "Wait until resources are as wanted.",
    discussion: """
      Exit code 4 where the time is over, 1 where a guest ended or is stuck: in a panic, a rescue or \
      emergency mode, or at a boot loader's or an initramfs' prompt. How far each guest came, what is \
      missing and the console's end are told.

        ingot wait web1 web2
        ingot wait vm/web1 --for condition=RestartRequired=False
        ingot wait vm/web1 --for jsonpath='{.status.machine.state}'=Paused
        ingot wait vol/data --for delete
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: "Machines by name, or addresses such as vm/web1 and image/debian-12.")
  var what: [String]
  @Option(
    name: .customLong("for"),
    help: ArgumentHelp(
      "ready, halted, delete, condition=NAME[=False] or jsonpath='{PATH}'[=VALUE].",
      valueName: "goal"),
    completion: .list(["ready", "halted", "delete", "condition=", "jsonpath="]),
    transform: WaitGoalArgument.read)
  var goal: WaitGoalArgument = .ready
  @Option(help: "How long, such as 5m; a machine's readiness probe says so by default, else 3m.")
  var timeout: DurationArgument?
  @Option(help: "How progress is told: auto, plain, json (lines on standard error) or none.")
  var progress: ProgressChoice = .auto
  @Option(name: .shortAndLong, help: "How it is printed.")
  var output: ReportFormat = .table

  func run() async throws {
    let ids = try Addresses.resources(what, fallback: .virtualMachine)
    for id in ids { try goal.check(id.kind) }
    let session = try EngineSession.open(global)
    let observed = try await session.engine.observe()
    for id in ids {
      if goal == .delete {
        if !observed.resources.contains(where: { $0.resource.id == id }) {
          TextStream.errors.line("There is no \(id).")
        }
      } else {
        _ = try observed.resource(id)
      }
    }
    let run = PlanRun(
      session: session, command: "wait", style: global.style(of: .errors), parallelism: 1,
      progress: progress)
    let result = try await run.wait(for: ids, goal.goal, timeout: timeout?.duration)
    let consoles = try await WaitReport(result, session)
    if output == .json {
      TextStream.output.line(
        (["format_version": "1.0", "waits": consoles.json] as JSONValue).text(pretty: true))
    } else {
      consoles.showConsoles()
    }
    if !result.isMet { throw QuietExit(status: ExitStatus(rawValue: result.exitCode) ?? .failed) }
  }
}
