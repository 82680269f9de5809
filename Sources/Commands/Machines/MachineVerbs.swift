internal import ArgumentParser
internal import EngineInterface
internal import Resources
internal import SystemIO

/// The machines that a verb is done to.
struct MachineArguments: ParsableArguments {
  @Argument(help: ArgumentHelp("Machines by name or address.", valueName: "vm"))
  var machines: [String]
}

/// Does a verb to machines, all at once, with a line each.
///
/// - Throws: `QuietExit` where one failed; what failed was said.
func control(
  _ arguments: MachineArguments, _ global: GlobalOptions, word: String, _ verb: MachineVerb
) async throws {
  let names = try Addresses.machines(arguments.machines)
  let session = try EngineSession.open(global)
  let reporter = ProgressReporter(
    .auto, style: global.style(of: .errors), clock: session.host.uptime)
  defer { reporter.finish() }
  let failures = await withTaskGroup(of: ExitStatus?.self) { group in
    for name in names {
      group.addTask {
        await control(session.engine, name, word: word, verb, reporter)
      }
    }
    return await group.reduce(into: [ExitStatus]()) { if let status = $1 { $0.append(status) } }
  }
  if let status = failures.first {
    throw QuietExit(status: failures.count < names.count ? .partlyApplied : status)
  }
}

private func control(
  _ engine: any Engine, _ name: String, word: String, _ verb: MachineVerb,
  _ reporter: ProgressReporter
) async -> ExitStatus? {
  let subject = ResourceID(.virtualMachine, name).description
  reporter.report(.started, subject, word)
  do {
    try await engine.control(name, verb)
    reporter.report(.finished(notes: []), subject, word)
    return nil
  } catch {
    let report = ErrorReport(error)
    reporter.report(.failed(message: report.text(.plain)), subject, word)
    return report.status
  }
}
