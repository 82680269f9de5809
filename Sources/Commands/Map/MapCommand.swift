internal import ArgumentParser
internal import EngineInterface
internal import JSON
internal import Resources
internal import SystemIO

/// How a map is drawn.
enum MapFormat: String, ExpressibleByArgument, CaseIterable {
  case text, dot, mermaid, svg, json
}

struct MapCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "map", abstract: "Draw the host with its pools, networks and machines.",
    discussion: """
      Text for the terminal, a picture (ingot map -o svg > map.svg), Graphviz' and Mermaid's \
      languages, or data.
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var scope: ScopeOptions
  @Option(name: .shortAndLong, help: "How it is drawn.")
  var output: MapFormat = .text

  func run() async throws {
    let session = try EngineSession.open(global)
    let observed = try await session.engine.observe()
    let map = try HostMap(
      observed, scope: scope.scope(among: observed.resources.map(\.resource.id)),
      hostName: session.host.name)
    let stream = TextStream.output
    switch output {
    case .text:
      let style = global.style(of: stream)
      for line in MapText(map).lines(width: stream.width, style: style) { stream.line(line) }
    case .dot: show(MapDOT(map).lines)
    case .mermaid: show(MapMermaid(map).lines)
    case .svg: stream.write(MapSVG(map).document)
    case .json: stream.line(MapJSON(map).value.text(pretty: true))
    }
  }

  private func show(_ lines: [String]) {
    TextStream.output.write(lines.map { $0 + "\n" }.joined())
  }
}
