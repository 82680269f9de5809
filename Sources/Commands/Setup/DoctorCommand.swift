internal import ArgumentParser
internal import EmbeddedEngine
internal import EngineInterface
internal import JSON
internal import Resources
internal import SystemIO

struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Check all that ingot needs of this host, with the way to mend what is wrong.")

  @OptionGroup var global: GlobalOptions
  @Option(name: .shortAndLong, help: "How it is printed.")
  var output: ReportFormat = .table

  func run() async throws {
    let environment = Environment.current()
    let home = try environment.homeDirectory(option: global.home)
    let checks = HostChecks(environment: environment, host: .live(), home: home)
    let subnets = await subnets(home)
    var results = try await blocking { checks.run(subnets: subnets) }
    if fileExists(home), !results.contains(where: { $0.name == "database" && $0.verdict == .fail })
    {
      results.append(try await consistency())
    }
    if output == .json {
      let value: JSONValue = ["format_version": "1.0", "checks": .array(results.map(\.json))]
      TextStream.output.line(value.text(pretty: true))
    } else {
      let view = CheckView(style: global.style(of: .output))
      for line in view.lines(results) { TextStream.output.line(line) }
    }
    if results.contains(where: { $0.verdict == .fail }) { throw QuietExit(status: .failed) }
  }

  /// The IPv4 networks that the engine holds; none where it can't be read, as another check says.
  private func subnets(_ home: String) async -> [(name: String, subnet: String)] {
    guard fileExists(home), let session = try? EngineSession.open(global),
      let observed = try? await session.engine.observe()
    else { return [] }
    return observed.resources.filter { $0.resource.id.kind == .network }.flatMap { network in
      // Behind QEMU's own network the host's are not hidden.
      NetworkDetails(network).directory == nil
        ? []
        : NetworkDetails(network).subnets.filter { !$0.contains(":") }
          .map { (network.resource.id.name, $0) }
    }
  }

  /// Whether every thing has its row and every row its thing.
  private func consistency() async throws -> Check {
    let found = try await EngineSession.open(global).embedded.audit()
    guard let first = found.first else {
      return .ok("consistency", "every thing has its record, every record its thing")
    }
    return .warn(
      "consistency", "\(counted(found.count, "finding")), the first: \(first)",
      help: "the next apply mends what commands that were killed left behind")
  }
}
