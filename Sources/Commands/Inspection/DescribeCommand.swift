internal import ArgumentParser
internal import EngineInterface
internal import JSON
internal import Manifests
internal import Resources
internal import SystemIO

struct DescribeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "describe", abstract: "Show everything about one resource or several.")

  @OptionGroup var global: GlobalOptions
  @Argument(help: "A kind and names, or addresses such as vm/web1.")
  var what: [String]
  @Option(name: .shortAndLong, help: "How it is printed.")
  var output: OutputFormat = .table
  @Option(help: "How many of the newest events are shown.")
  var events = 10

  func run() async throws {
    let session = try EngineSession.open(global)
    let observed = try await session.engine.observe()
    let resources = try Addresses.resources(what).map { try observed.resource($0) }
    switch output {
    case .json: TextStream.output.line(ObservedJSON.list(resources).text(pretty: true))
    case .yaml: TextStream.output.write(manifestText(of: resources.map(\.resource)))
    case .name: for one in resources { TextStream.output.line(shortAddress(one.resource.id)) }
    case .table, .wide:
      let all = try await EventLog.all(session.engine)
      let view = DescribeView(
        style: global.style(of: .output), now: session.host.now().seconds,
        networkUsers: observed.networkUsers)
      for (index, resource) in resources.enumerated() {
        if index > 0 { TextStream.output.line() }
        let own = all.filter { $0.id == resource.resource.id }.suffix(max(0, events))
        for line in view.lines(resource, events: Array(own)) { TextStream.output.line(line) }
      }
    }
  }
}
