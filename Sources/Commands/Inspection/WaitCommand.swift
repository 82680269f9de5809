internal import ArgumentParser
internal import EngineInterface
internal import Execution
internal import Resources
internal import SystemIO

struct WaitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wait", abstract: "Wait until machines are ready or halted.",
    discussion:
      "Exit code 4 where the time is over; what is missing and the console's end are told.")

  /// What is waited for.
  enum Goal: String, ExpressibleByArgument, CaseIterable {
    case ready, halted
  }

  @OptionGroup var global: GlobalOptions
  @OptionGroup var arguments: MachineArguments
  @Option(name: .customLong("for"), help: "ready or halted.")
  var goal: Goal = .ready
  @Option(help: "How long, such as 5m; a machine's readiness probe says so by default.")
  var timeout: DurationArgument?
  @Option(help: "How progress is told: auto, plain, json (lines on standard error) or none.")
  var progress: ProgressChoice = .auto

  func run() async throws {
    let names = try Addresses.machines(arguments.machines)
    let session = try EngineSession.open(global)
    let ids = names.map { ResourceID(.virtualMachine, $0) }
    let observed = try await session.engine.observe()
    for id in ids { _ = try observed.resource(id) }
    let run = PlanRun(
      session: session, command: "wait", style: global.style(of: .errors), parallelism: 1,
      progress: progress)
    switch goal {
    case .ready: try await waitUntilReady(ids, run)
    case .halted: try await waitUntilHalted(ids, run)
    }
  }

  private func waitUntilReady(_ ids: [ResourceID], _ run: PlanRun) async throws {
    let result = try await run.wait(for: ids, timeout: timeout?.duration)
    if result.isReady { return }
    let observed = try await run.session.engine.observe()
    for wait in result.machines where wait.verdict != .ready {
      if let machine = observed.resources.first(where: { $0.resource.id == wait.id }) {
        await ConsoleTail.show(machine, run.session)
      }
    }
    throw QuietExit(status: ExitStatus(rawValue: result.exitCode) ?? .failed)
  }

  private func waitUntilHalted(_ ids: [ResourceID], _ run: PlanRun) async throws {
    let limit = timeout?.duration ?? .seconds(Waiter.defaultTimeout)
    let start = run.session.host.uptime()
    while true {
      let observed = try await run.session.engine.observe()
      let up = try ids.map { try observed.resource($0) }.filter { resource in
        resource.machine.map { $0.state != .halted && $0.state != .crashed } ?? false
      }
      if up.isEmpty { return }
      if .nanoseconds(Int64(clamping: run.session.host.uptime() - start)) >= limit {
        let states = up.map { "\($0.resource.id) is \($0.machine?.state.rawValue ?? "unknown")" }
        throw Failure(states.joined(separator: ", "), status: .timedOut)
      }
      try await Task.sleep(for: .milliseconds(200))
    }
  }
}
