internal import ArgumentParser
internal import EngineInterface
internal import JSON
internal import Planning
internal import Resources
internal import SystemIO

struct ShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show a saved plan, and whether it still holds.",
    discussion: "'ingot plan -o FILE' saves one, 'ingot apply FILE' carries it out.")

  @OptionGroup var global: GlobalOptions
  @Argument(help: "The file.", completion: .file())
  var plan: String
  @Option(name: .shortAndLong, help: "How it is printed.")
  var output: ReportFormat = .table

  func run() async throws {
    let saved = try SavedPlanFile.read(plan)
    let staleness = await Staleness.of(saved, global)
    guard output != .json else {
      var value = saved.plan.jsonValue
      value["saved"] = staleness.json(saved)
      return TextStream.output.line(value.text(pretty: true))
    }
    for line in header(saved, staleness) { TextStream.output.line(line) }
    TextStream.output.line()
    for line in PlanView(style: global.style(of: .output)).lines(saved.plan) {
      TextStream.output.line(line)
    }
  }

  private func header(_ saved: SavedPlan, _ staleness: Staleness) -> [String] {
    let style = global.style(of: .output)
    var lines = [
      "Saved \(Timestamp(seconds: saved.created)) for the engine \(saved.plan.engineID), apply set "
        + "'\(saved.plan.options.set)'."
    ]
    if let reason = staleness.reason {
      let since = staleness.since.map { "since \(Timestamp(seconds: $0))" } ?? "now"
      lines.append(style.paint("Stale \(since): \(sanitized(reason)).", .bad))
    }
    for file in staleness.changedManifests {
      lines.append(style.paint("\(sanitized(file)) is not as it was then.", .caution))
    }
    return lines
  }
}

/// Whether a saved plan still holds, and what happened since.
struct Staleness {
  /// Why it can't be carried out; nil where it can.
  var reason: String?
  /// When the first change came, in seconds since 1970, where that is known.
  var since: Int64?
  /// Manifests that are not as they were; the plan itself still holds.
  var changedManifests: [String]

  /// Looks at the engine, where there is one.
  static func of(_ saved: SavedPlan, _ options: GlobalOptions) async -> Staleness {
    var staleness = Staleness(changedManifests: SavedPlanFile.changed(saved))
    do {
      let home = try Environment.current().homeDirectory(option: options.home)
      guard fileExists(home) else {
        // To show a plan must not be what makes an engine.
        staleness.reason = "there is no engine in \(home)"
        return staleness
      }
      let engine = try EngineSession.open(options).engine
      let observed = try await engine.observe()
      guard observed.engineID == saved.plan.engineID else {
        staleness.reason = "this engine is \(observed.engineID), another one"
        return staleness
      }
      guard observed.generation != saved.plan.generation else { return staleness }
      let later = try await changes(since: saved.created, engine)
      staleness.since = later.first?.time
      staleness.reason =
        "the engine was at generation \(saved.plan.generation) and is at \(observed.generation)"
        + (later.first.map { ": \($0.message)" } ?? "")
        + (later.count > 1 ? ", and \(later.count - 1) more" : "")
    } catch {
      staleness.reason = "the engine can't be asked: \(ErrorReport(error).text(.plain))"
    }
    return staleness
  }

  /// What was changed since a moment, oldest first.
  private static func changes(
    since moment: Int64, _ engine: any Engine
  ) async throws -> [EngineEvent] {
    let words: Set = ["Created", "Updated", "Replaced", "Deleted", "Retained", "Failed"]
    return try await engine.events(after: 0, limit: .max).filter {
      $0.time >= moment && words.contains($0.reason)
    }
  }

  /// As JSON, with when and from what the plan was made.
  func json(_ saved: SavedPlan) -> JSONValue {
    [
      "created": .integer(saved.created), "stale": .bool(reason != nil),
      "reason": JSONValue(reason), "stale_since": since.map(JSONValue.integer) ?? .null,
      "manifests": .array(
        saved.manifests.map { manifest in
          [
            "file": .string(manifest.file), "digest": .string(manifest.digest),
            "changed": .bool(changedManifests.contains(manifest.file)),
          ]
        }),
    ]
  }
}
