internal import ArgumentParser
internal import EngineInterface

struct DeleteCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete", abstract: "Destroy named resources.")

  @OptionGroup var global: GlobalOptions
  @Argument(help: "A kind and names, or addresses such as vm/web1.")
  var what: [String]
  @OptionGroup var running: RunOptions
  @Option(name: .shortAndLong, help: "How it is printed.")
  var output: ReportFormat = .table

  func run() async throws {
    let session = try EngineSession.open(global)
    let observed = try await session.engine.observe()
    try await Destruction(
      run: running.planRun(session, "delete", global.style(of: .errors)), yes: running.yes,
      asJSON: output == .json
    ).carryOut(try Destruction.named(what, observed), observed)
  }
}
