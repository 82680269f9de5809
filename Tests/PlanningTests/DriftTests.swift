import Diagnostics
import EngineInterface
import JSON
import Planning
import Resources
import TestSupport
import Testing

@Suite("What was changed outside ingot")
struct DriftTests {
  static func drifted(_ resource: Resource, _ drift: Drift...) -> ObservedResource {
    var stored = Make.stored(resource)
    stored.drift = drift
    return stored
  }

  static let volume = Resource.normalized(.volume, "data", ["size": .integer(2 * Make.gibi)])

  static func size(_ actual: Int64, _ effect: Effect) -> Drift {
    Drift(
      path: "size", applied: .integer(2 * Make.gibi), actual: .integer(actual), effect: effect,
      note: "a disk can only grow")
  }

  @Test("it alone makes an action, apart from changes, with the effect of mending it")
  func alone() throws {
    let drift = Drift(
      path: "cpu.count", applied: 1, actual: 2, effect: .live, note: "by hot-unplug")
    let plan = Make.plan(
      [Make.machine()], over: [Self.drifted(Make.machine(), drift), Make.stored(Make.image)])
    try plan.validate()
    #expect(plan.words == ["update VirtualMachine/web live"])
    let action = try #require(plan.actions.first)
    #expect(action.changes.isEmpty)
    #expect(action.reason == PlanReason(.drifted, "cpu.count was changed outside ingot"))
    #expect(plan.drift == [PlannedDrift(Make.machine().id, drift, isMended: true)])
    #expect(
      plan.jsonValue["drift"] == [
        [
          "address": "VirtualMachine/web", "path": "cpu.count", "applied": 1, "actual": 2,
          "effect": "live", "note": "by hot-unplug", "mended": true,
        ]
      ])
  }

  @Test("beside a change the reason is the change, and the harder effect counts")
  func besideChange() throws {
    let drift = Drift(path: "cpu.count", applied: 1, actual: 2, effect: .nextBoot)
    let plan = Make.plan(
      [Make.machine().with("cpu.reservation", 500)],
      over: [Self.drifted(Make.machine(), drift), Make.stored(Make.image)])
    #expect(plan.words == ["update VirtualMachine/web next-boot"])
    #expect(plan.actions.first?.reason.code == .changed)
    #expect(plan.actions.first?.changes.map(\.path) == ["cpu.reservation"])
    #expect(plan.drift.map(\.isMended) == [true])
  }

  /// The declared size, the size that is there, and what becomes of it.
  static let sizeCases: [(declared: Int64, actual: Int64, refusals: [String])] = [
    (2, 1, []), (2, 3, ["update Volume/data drifted"]), (3, 3, []), (4, 3, []),
  ]

  @Test(
    "what can't be brought back is refused, unless what is there is declared", arguments: sizeCases)
  func sizes(_ item: (declared: Int64, actual: Int64, refusals: [String])) throws {
    let drift = Self.size(item.actual * Make.gibi, item.actual > 2 ? .refused : .none)
    let plan = Make.plan(
      [Self.volume.with("size", .integer(item.declared * Make.gibi))],
      over: [Self.drifted(Self.volume, drift)])
    try plan.validate()
    #expect(plan.refusals == item.refusals)
    #expect(plan.actions.count == (item.refusals.isEmpty ? 1 : 0))
    #expect(plan.drift.map(\.isMended) == [item.refusals.isEmpty])
    if let problem = plan.refused.first?.diagnostic {
      #expect(problem.message == "is 3Gi and was 2Gi: it was changed outside ingot")
      #expect(problem.path == "spec.size")
      #expect(problem.help == "a disk can only grow")
    }
  }

  @Test("what is no field and gone is refused by its own word")
  func gone() throws {
    let drift = Drift(
      path: "file", applied: "/pool/data.qcow2", actual: nil, effect: .refused, note: "put it back")
    let plan = Make.plan([Self.volume], over: [Self.drifted(Self.volume, drift)])
    #expect(plan.refusals == ["update Volume/data missing-data"])
    let problem = try #require(plan.refused.first).diagnostic
    #expect(problem.path == "file")
    #expect(problem.message.hasPrefix("is gone and was /pool/data.qcow2"))
  }

  @Test("of what no manifest declares nothing is said")
  func undeclared() {
    let plan = Make.plan([], over: [Self.drifted(Self.volume, Self.size(Make.gibi, .none))])
    #expect(plan.isEmpty)
    #expect(plan.drift.isEmpty)
  }
}
