import Diagnostics
import EngineInterface
import JSON
import Planning
import Resources
import TestSupport
import Testing

@Suite("A plan as a value")
struct PlanFormTests {
  static let mixed: Plan = {
    let network = Resource.normalized(.network, "lab", ["mode": "nat"])
    let stored = [
      Make.stored(Make.image), Make.stored(Make.machine("grown")),
      Make.stored(Make.machine("same")),
      Make.stored(Make.machine("down"), .halted), Make.stored(Make.machine("gone")),
    ]
    return Planner.plan(
      desired: DesiredState(resources: [
        Make.image, Make.machine("same"), Make.machine("down"), network, Make.machine("new"),
        Make.machine("grown").with("memory.guest", .integer(Make.gibi)),
      ]),
      observed: Make.observed(
        stored,
        unsupported: [.init(kind: .network, path: "spec.mode", values: ["nat"], reason: "no")]),
      options: PlanOptions(prune: true))
  }()

  @Test("the summary counts")
  func summary() {
    let summary = Self.mixed.summary
    #expect(summary.add == 1)
    #expect(summary.change == 1)
    #expect(summary.changeByEffect[.nextBoot] == 1)
    #expect(summary.changeByEffect[.live] == 0)
    #expect(summary.destroy == 1)
    #expect(summary.start == 1)
    #expect(summary.refused == 1)
    #expect(summary.unchanged == 2)
    #expect(Self.mixed.worstEffect == .replace)
    #expect(
      Self.mixed.awaitedMachines.map(\.name) == ["down", "grown", "new"])
  }

  @Test("the JSON form says all, with words from closed sets")
  func json() throws {
    let json = Self.mixed.jsonValue
    #expect(
      json.object?.names == [
        "format_version", "engine", "options", "changes", "refused", "drift", "unchanged",
        "summary",
      ])
    #expect(json["format_version"] == "1.1")
    #expect(json["engine"] == ["id": "e", "generation": 7])
    let changes = try #require(json["changes"]?.array)
    let update = try #require(changes.first { $0["action"] == "update" })
    #expect(update["address"] == "VirtualMachine/grown")
    #expect(update["effect"] == "next-boot")
    #expect(update["reason"] == ["code": "changed", "message": "memory.guest differs"])
    #expect(
      update["fields"]?.array?.first == [
        "path": "memory.guest", "before": .integer(512 << 20), "after": .integer(1 << 30),
        "effect": "next-boot", "note": nil, "source": nil,
      ])
    #expect(changes.first { $0["action"] == "start" }?["reason"]?["code"] == "not-running")
    #expect(json["refused"]?.array?.first?["code"] == "unsupported")
    #expect(json["summary"]?["change_by_effect"]?["next-boot"] == 1)
  }

  @Test("an inconsistent plan is found out")
  func validation() throws {
    func plan(_ actions: [PlannedAction], unchanged: [ResourceID] = []) -> Plan {
      Plan(engineID: "e", generation: 1, actions: actions, unchanged: unchanged)
    }
    func action(_ name: String, needs: [String] = []) -> PlannedAction {
      PlannedAction(
        .delete(ResourceID(.volume, name)), reason: PlanReason(.removed, "x"), effect: .none,
        dependencies: needs.map { ResourceID(.volume, $0) })
    }
    var still = action("a")
    still.changes = [FieldChange(path: "size", before: 1, after: 1, effect: .none)]
    try plan([action("a"), action("b", needs: ["a"])]).validate()
    for broken in [
      plan([action("a"), action("a")]), plan([action("b", needs: ["a"]), action("a")]),
      plan([action("a", needs: ["a"])]), plan([action("a", needs: ["z"])]), plan([still]),
      plan([action("a")], unchanged: [ResourceID(.volume, "a")]),
    ] {
      #expect(throws: InvalidPlan.self) { try broken.validate() }
    }
  }
}
