internal import ArgumentParser
internal import EngineInterface
internal import JSON
internal import Manifests
internal import Planning
internal import Resources
internal import SystemIO

struct GetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get", abstract: "List what the engine holds.",
    discussion: """
      Kinds: vm, image, vol, net, pool, rp; all of them where none is named, or with "all". With -o yaml the \
      output is manifests that can be applied again.
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: "A kind and names, or addresses such as vm/web1.")
  var what: [String] = []
  @OptionGroup var scope: ScopeOptions
  @Option(name: .shortAndLong, help: "How it is printed.")
  var output: OutputFormat = .table

  func run() async throws {
    let session = try EngineSession.open(global)
    let observed = try await session.engine.observe()
    let scope = try scope.scope(among: observed.resources.map(\.resource.id))
    let groups = try select(observed).map { kind, resources in
      (kind, resources.filter { scope.contains($0.resource) })
    }
    let all = groups.flatMap(\.1)
    switch output {
    case .json:
      TextStream.output.line(ObservedJSON.list(all).text(pretty: true))
    case .yaml: TextStream.output.write(manifestText(of: all.map(\.resource)))
    case .name: for one in all { TextStream.output.line(shortAddress(one.resource.id)) }
    case .table, .wide:
      let view = GetView(
        now: session.host.now().seconds, isWide: output == .wide,
        volumeUsers: observed.volumeUsers, networkUsers: observed.networkUsers)
      show(groups.filter { !$0.1.isEmpty || groups.count == 1 }, view)
    }
  }

  /// What was asked for, by kind.
  private func select(_ observed: ObservedState) throws -> [(Kind, [ObservedResource])] {
    guard let first = what.first, what != ["all"] else {
      return try Kind.allCases.map { ($0, try observed.resources(of: $0, names: [])) }
    }
    if !first.contains("/") {
      let kind = try Addresses.kind(first)
      return [(kind, try observed.resources(of: kind, names: Array(what.dropFirst())))]
    }
    let ids = try Addresses.resources(what)
    return try Kind.allCases.compactMap { kind in
      let names = ids.filter { $0.kind == kind }.map(\.name)
      return names.isEmpty ? nil : (kind, try observed.resources(of: kind, names: names))
    }
  }

  private func show(_ groups: [(Kind, [ObservedResource])], _ view: GetView) {
    let stream = TextStream.output
    for (index, group) in groups.enumerated() {
      guard !group.1.isEmpty else {
        TextStream.errors.line("No \(group.0.rawValue) there.")
        continue
      }
      if index > 0 { stream.line() }
      if groups.count > 1 { stream.line("\(group.0.rawValue):") }
      let lines = view.table(group.0, group.1)
        .lines(width: stream.width, style: global.style(of: stream))
      for line in lines { stream.line(line) }
    }
  }
}

/// The address as people type it: `vm/web1`.
func shortAddress(_ id: ResourceID) -> String { "\(id.kind.shortName)/\(id.name)" }
