internal import ArgumentParser
internal import EngineInterface
internal import JSON
internal import Resources
internal import SystemIO

/// How events are printed.
enum EventFormat: String, ExpressibleByArgument, CaseIterable {
  case table, wide, json
}

struct EventsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "events", abstract: "Show what happened and who did it, oldest first.",
    discussion: """
      With -o json, one JSON object a line; with -o wide, the command, the manifest's line and the \
      fields that changed. The newest 10000 events of the last 90 days are kept.
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: "Only events of these resources, such as vm/web1.")
  var what: [String] = []
  @Flag(name: .shortAndLong, help: "Go on and show events as they happen.")
  var watch = false
  @Option(help: "Show at most this many of the newest events first.")
  var limit = 100
  @Option(help: "Only what happened in this time, such as 1h, and at most --limit of it.")
  var since: DurationArgument?
  @Option(name: .shortAndLong, help: "How it is printed.")
  var output: EventFormat = .table

  func run() async throws {
    let session = try EngineSession.open(global)
    let ids = what.isEmpty ? nil : Set(try Addresses.resources(what))
    func wanted(_ event: EngineEvent) -> Bool {
      guard let ids else { return true }
      return event.id.map(ids.contains) ?? false
    }
    var sequence: Int64 = 0
    let past = try await EventLog.all(session.engine)
    if let last = past.last { sequence = last.sequence }
    let start = since.map { session.host.now().seconds - Int64($0.seconds) } ?? .min
    for event in past.filter({ $0.time >= start && wanted($0) }).suffix(max(0, limit)) {
      show(event)
    }
    while watch, !TextStream.output.isClosed {
      // A cancelled sleep is how Ctrl-C ends the watch.
      guard (try? await Task.sleep(for: .milliseconds(500))) != nil else { return }
      // The engine folds what monitors wrote into its events when it looks at the world.
      _ = try await session.engine.observe()
      for event in try await EventLog.all(session.engine, after: sequence) {
        sequence = event.sequence
        if wanted(event) { show(event) }
      }
    }
  }

  private func show(_ event: EngineEvent) {
    let lines: [String] =
      switch output {
      case .table: [EventView.line(event)]
      case .wide: [EventView.line(event)] + EventView.more(event).map { "    \($0)" }
      case .json: [EventView.json(event).text()]
      }
    for line in lines { TextStream.output.line(line) }
  }
}
