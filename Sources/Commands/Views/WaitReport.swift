internal import EngineInterface
internal import Execution
internal import JSON
internal import Resources

/// What came of waiting, with the consoles of machines that are not as wanted.
struct WaitReport {
  private let result: WaitResult
  private let consoles: [ResourceID: [String]]

  /// Reads the consoles.
  init(_ result: WaitResult, _ session: EngineSession) async throws {
    self.result = result
    let failed = Set(result.resources.filter { $0.verdict != .met && $0.state != nil }.map(\.id))
    var consoles: [ResourceID: [String]] = [:]
    if !failed.isEmpty {
      for machine in try await session.engine.observe().resources
      where failed.contains(machine.resource.id) {
        consoles[machine.resource.id] = await ConsoleTail.read(machine, session)
      }
    }
    self.consoles = consoles
  }

  /// Shows the last lines of each console on standard error; the rest was told when it happened.
  func showConsoles() {
    for wait in result.resources {
      guard let lines = consoles[wait.id], !lines.isEmpty else { continue }
      TextStream.errors.line("The console of \(wait.id.name) ends with:")
      for line in lines { TextStream.errors.line("  | \(line)") }
      if wait.verdict == .stuck {
        TextStream.errors.line("help: `ingot console \(wait.id.name)` attaches to it")
      }
    }
  }

  /// A list with an object for each resource.
  var json: JSONValue {
    .array(
      result.resources.map { wait in
        [
          "address": .string(wait.id.description), "verdict": .string(wait.verdict.rawValue),
          "state": JSONValue(wait.state?.rawValue),
          "boot": wait.boot.map(ObservedJSON.json) ?? .null,
          "missing": .array(wait.missing.map(JSONValue.string)),
          "addresses": .array(wait.addresses.map(JSONValue.string)),
          "milliseconds": .integer(milliseconds(wait.waited)),
          "console": .array((consoles[wait.id] ?? []).map(JSONValue.string)),
        ]
      })
  }
}

/// A stretch of time in whole milliseconds.
func milliseconds(_ duration: Duration) -> Int64 {
  duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
}
