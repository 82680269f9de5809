import Diagnostics
import EngineInterface
import Foundation
import JSON
import Planning
import Resources
import TestSupport
import Testing

@Suite("Plans as JSON, to be kept and read again")
struct SavedPlanTests {
  /// Plans with every sort of action, reason, refusal and drift.
  static let everySort: [Plan] = {
    let volume = Resource.normalized(.volume, "data", ["size": .integer(Make.gibi)])
    let kept = volume.with("lifecycle", ["deletionPolicy": "Retain"])
    let other = Resource.normalized(.image, "o", ["source": ["archive": ["path": "/o.tar"]]])
    var drifted = Make.stored(volume)
    drifted.drift = [
      Drift(path: "size", applied: .integer(Make.gibi), actual: 512, effect: .live, note: "n"),
      Drift(path: "file", applied: "/f", actual: nil, effect: .refused),
    ]
    var mended = drifted
    mended.drift.removeLast()
    var placed = Make.machine("placed").with(
      "cloudInit", ["userData": ["a": [1, nil, .number(0.5)]]])
    placed.source = SourceSpan(file: "a \"b\".yaml", line: 3, column: 1, length: 10)
    placed.written = WrittenFields(
      placed.written.paths,
      places: ["spec.disks[root]": SourceSpan(file: "a", line: 4, column: 9)])
    placed.annotations = [.init(name: "n", value: "\u{1F600}\n")]
    let machines = [Make.image, Make.machine()]
    return [
      PlanFormTests.mixed,
      Make.plan(
        [Make.image, Make.machine().with("runStrategy", "Halted")],
        over: [
          Make.stored(Make.image), Make.stored(Make.machine().with("runStrategy", "Halted")),
        ]),
      Make.plan([Make.image, placed], inputs: [Make.image.id: "digest"], set: "web"),
      Make.plan(machines, over: machines.map { Make.stored($0) }, replace: [Make.machine().id]),
      Make.plan(
        [Make.image, other, Make.machine().with("disks", [["name": "root", "image": "o"]])],
        over: machines.map { Make.stored($0) }, allowReplace: true),
      Make.plan(
        [Make.image.with("mode", "migrate")], over: [Make.stored(Make.image, inputs: "x")]),
      Make.plan([volume], over: [drifted]), Make.plan([volume], over: [mended]),
      Make.plan([], over: [Make.stored(kept)], prune: true),
      Make.plan([volume], over: [Make.stored(volume, phase: .incomplete, reason: "cut short")]),
      Make.plan([volume], over: [Make.stored(volume, phase: .failed)]),
      Make.plan(
        [Make.image.with("exclude", ["a"])],
        over: [Make.stored(Make.image, inputs: "x")], inputs: [Make.image.id: "y"]),
      Make.plan(
        [Make.image], over: [Make.stored(Make.image, inputs: "x")], inputs: [Make.image.id: "y"]),
      Planner.plan(
        desired: DesiredState(resources: machines), observed: Make.observed(),
        options: PlanOptions(
          allowRestart: true, takeOver: true,
          scope: PlanScope(
            targets: [Make.image.id], excluded: [Make.machine().id],
            selectors: [(try? LabelSelector("a!=b,!c"))].compactMap { $0 }))),
      Plan(engineID: "e", generation: 0, actions: []),
    ]
  }()

  static func saved(_ plan: Plan) -> SavedPlan {
    SavedPlan(
      plan, created: 1_800_000_000,
      manifests: [.init(file: "a.yaml", digest: String(repeating: "0f", count: 32))])
  }

  @Test("every sort of action and every reason is among the plans")
  func complete() {
    let actions = Self.everySort.flatMap(\.actions)
    #expect(Set(actions.map(\.act.verb)).count == 7)
    #expect(Set(actions.map(\.reason.code)) == Set(PlanReason.Code.allCases))
  }

  @Test("what was saved is read again just as it was")
  func roundTrip() throws {
    for plan in Self.everySort {
      try plan.validate()
      let saved = Self.saved(plan)
      for isPretty in [true, false] {
        let value = try JSONValue(parsing: saved.jsonValue.text(pretty: isPretty))
        #expect(try SavedPlan(value) == saved)
      }
    }
  }

  @Test(
    "random plans too, of what is made, changed, replaced, drifted and swept away",
    arguments: 0..<60)
  func randomRoundTrip(seed: Int) async throws {
    var history = PlanHistory(seed: UInt64(seed))
    for _ in 0..<3 {
      let plan = try await history.step()
      let value = try JSONValue(parsing: Self.saved(plan).jsonValue.text())
      #expect(try SavedPlan(value) == Self.saved(plan), "seed \(seed)")
    }
  }

  @Test("a value that is no saved plan is refused at its place")
  func shape() throws {
    let good = Self.saved(Self.everySort[0]).jsonValue
    func message(_ change: (inout JSONValue) -> Void) -> String {
      var value = good
      change(&value)
      do {
        _ = try SavedPlan(value)
        return "read"
      } catch {
        return "\(error)"
      }
    }
    #expect(message { _ in } == "read")
    #expect(message { $0["format_version"] = "1.99" } == "read")
    #expect(message { $0["later"] = 1 } == "read")
    #expect(message { $0["format_version"] = "2.0" }.contains("format_version"))
    #expect(message { $0["format_version"] = "1" }.contains("format_version"))
    let textual = message { $0["engine"] = ["id": "e", "generation": "7"] }
    #expect(textual.contains("'engine.generation'"))
    #expect(message { $0["saved"] = nil }.contains("'saved'"))
    var changes = good["changes"]?.array ?? []
    let number = try #require(changes.firstIndex { $0["action"] == "create" })
    for (name, value) in [
      ("action", "explode"), ("effect", "mild"), ("address", "Volume"), ("address", "Tape/x"),
      ("resource", nil), ("reason", ["code": "whim", "message": ""]),
    ] as [(String, JSONValue?)] {
      changes[number][name] = value
      let text = message { $0["changes"] = .array(changes) }
      #expect(text.contains("changes[\(number)]"), "\(name)")
      changes = good["changes"]?.array ?? []
    }
  }

  /// Real plans, as printed and as saved, against the published schema, by Debian's
  /// python3-jsonschema.
  @Test("plans are as Schemas/plan.json says")
  func schema() async throws {
    let schema = try #require(projectFile("Schemas/plan.json"))
    var history = PlanHistory(seed: 1)
    var plans = Self.everySort
    for _ in 0..<6 { plans.append(try await history.step()) }
    let values = plans.flatMap { [$0.jsonValue, Self.saved($0).jsonValue] }
    let scratch = try Scratch()
    let file = "\(scratch.path)/plans.json"
    try JSONValue.array(values).text().write(toFile: file, atomically: true, encoding: .utf8)
    let script = """
      import json, sys, jsonschema
      schema = json.load(open(sys.argv[1]))
      jsonschema.Draft202012Validator.check_schema(schema)
      validator = jsonschema.Draft202012Validator(schema)
      plans = json.load(open(sys.argv[2]))
      for number, plan in enumerate(plans):
          for error in validator.iter_errors(plan):
              print(number, list(error.absolute_path), error.message[:300])
      # And it is no schema of just anything.
      broken = dict(plans[0], summary={})
      assert not validator.is_valid(broken) and not validator.is_valid({})
      """
    #expect(try Tool.check("python3", ["-c", script, schema, file]).isEmpty)
  }

  @Test("the schema's words are the program's")
  func words() throws {
    let schema = try JSONValue(
      parsing: try String(
        contentsOfFile: try #require(projectFile("Schemas/plan.json")), encoding: .utf8))
    func words(_ value: JSONValue?) -> [String] {
      (value?["enum"]?.array ?? []).compactMap(\.string)
    }
    let definitions = schema["$defs"]
    #expect(words(definitions?["effect"]) == Effect.allCases.map(\.word))
    #expect(
      Set(words(definitions?["change"]?["properties"]?["reason"]?["properties"]?["code"]))
        == Set(PlanReason.Code.allCases.map(\.word)))
  }

  private func projectFile(_ path: String) -> String? {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let file = root.appendingPathComponent(path).path
    return FileManager.default.fileExists(atPath: file) ? file : nil
  }
}
