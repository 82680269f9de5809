internal import ArgumentParser
internal import EngineInterface
internal import JSON
internal import Resources
internal import SystemIO

struct EventsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "events", abstract: "Show what happened, oldest first.",
    discussion: "With -o json, one JSON object a line.")

  @OptionGroup var global: GlobalOptions
  @Argument(help: "Only events of these resources, such as vm/web1.")
  var what: [String] = []
  @Flag(name: .shortAndLong, help: "Go on and show events as they happen.")
  var watch = false
  @Option(help: "Show at most this many of the newest events first.")
  var limit = 100
  @Option(name: .shortAndLong, help: "How it is printed.")
  var output: ReportFormat = .table

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
    for event in past.filter(wanted).suffix(max(0, limit)) { show(event) }
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
    TextStream.output.line(
      output == .json ? EventView.json(event).text() : EventView.line(event))
  }
}

/// Events as text and as JSON.
enum EventView {
  /// `2026-01-31T09:05:00Z  vm/web1  Started  message`.
  static func line(_ event: EngineEvent) -> String {
    let subject = event.id.map(shortAddress) ?? "-"
    return "\(Timestamp(seconds: event.time))  \(padded(subject, to: 18))  "
      + "\(padded(event.reason, to: 14))  \(sanitized(event.message))"
  }

  /// The same as an object.
  static func json(_ event: EngineEvent) -> JSONValue {
    [
      "sequence": .integer(event.sequence),
      "time": .string(Timestamp(seconds: event.time).description),
      "address": JSONValue(event.id?.description), "reason": .string(event.reason),
      "message": .string(event.message),
    ]
  }
}
