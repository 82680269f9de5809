internal import EngineInterface

/// Reads an engine's events.
enum EventLog {
  /// Events are fetched in pages of this many.
  private static let page = 1000

  /// All events after a sequence number, oldest first.
  static func all(_ engine: any Engine, after sequence: Int64 = 0) async throws -> [EngineEvent] {
    var events: [EngineEvent] = []
    while true {
      let next = try await engine.events(after: events.last?.sequence ?? sequence, limit: page)
      events += next
      if next.count < page { return events }
    }
  }
}
