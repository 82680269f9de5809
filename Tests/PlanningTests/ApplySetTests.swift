import Diagnostics
import EngineInterface
import JSON
import Planning
import Resources
import TestSupport
import Testing

@Suite("Apply sets, and what is retained")
struct ApplySetTests {
  static func volume(_ name: String, _ lifecycle: JSONValue = [:]) -> Resource {
    .normalized(.volume, name, ["size": .integer(Make.gibi), "lifecycle": lifecycle])
  }

  static func stored(_ resource: Resource, in set: String?) -> ObservedResource {
    var stored = Make.stored(resource)
    stored.resource.set = set
    return stored
  }

  static let retain: JSONValue = ["deletionPolicy": "Retain"]

  @Test("what is made and changed belongs to the set that is applied")
  func stamp() throws {
    let made = Make.plan([Self.volume("a")], set: "web")
    guard case .create(let created) = try #require(made.actions.first).act else { return }
    #expect(created.set == "web")
    let changed = Make.plan(
      [Self.volume("a").with("size", .integer(2 * Make.gibi))],
      over: [Self.stored(Self.volume("a"), in: "web")], set: "web")
    guard case .update(let updated, _) = try #require(changed.actions.first).act else { return }
    #expect(updated.set == "web")
    #expect(changed.actions.first?.changes.map(\.path) == ["size"])
  }

  @Test("what another set holds is refused, unless it is taken over")
  func other() throws {
    var resource = Self.volume("a")
    resource.source = SourceSpan(file: "a.yaml", line: 3, column: 1)
    let stored = [Self.stored(resource, in: "web")]
    let refused = Make.plan([resource], over: stored)
    #expect(refused.refusals == ["update Volume/a other-set"])
    let problem = try #require(refused.refused.first).diagnostic
    #expect(problem.message.contains("belongs to the apply set 'web', and this is 'default'"))
    #expect(problem.span?.line == 3)
    let taken = Make.plan([resource], over: stored, takeOver: true)
    #expect(taken.words == ["update Volume/a none"])
    #expect(
      taken.actions.first?.changes == [
        FieldChange(path: "set", before: "web", after: "default", effect: .none)
      ])
    #expect(Make.plan([resource], over: stored, set: "web").isEmpty)
  }

  @Test("what belongs to no set joins the one that declares it")
  func none() {
    let plan = Make.plan([Self.volume("a")], over: [Self.stored(Self.volume("a"), in: nil)])
    #expect(plan.words == ["update Volume/a none"])
  }

  @Test("pruning deletes what belongs to the set and left its manifests, and nothing else")
  func prune() {
    let stored = [
      Self.stored(Self.volume("a"), in: "web"), Self.stored(Self.volume("b"), in: "web"),
      Self.stored(Self.volume("c"), in: "default"), Self.stored(Self.volume("d"), in: nil),
    ]
    let plan = Make.plan([Self.volume("a")], over: stored, prune: true, set: "web")
    #expect(plan.words == ["delete Volume/b none"])
    #expect(plan.refused.isEmpty)
  }

  @Test("destroying keeps to a set: what manifests declare, or everything of one")
  func destroy() {
    let observed = Make.observed([
      Self.stored(Self.volume("a"), in: "web"), Self.stored(Self.volume("b"), in: "default"),
      Self.stored(Self.volume("c"), in: nil),
    ])
    let ids = ["a", "b", "c"].map { Self.volume($0).id }
    let declared = Planner.planDestroy(.declared(ids, set: "default"), observed: observed)
    #expect(declared.words == ["delete Volume/b none", "delete Volume/c none"])
    #expect(declared.refusals == ["delete Volume/a other-set"])
    let taken = Planner.planDestroy(
      .declared(ids, set: "default"), observed: observed, takeOver: true)
    #expect(taken.actions.count == 3 && taken.refused.isEmpty)
    #expect(
      Planner.planDestroy(.all(set: "web"), observed: observed).words == ["delete Volume/a none"])
    #expect(Planner.planDestroy(.all(set: nil), observed: observed).actions.count == 3)
    #expect(Planner.planDestroy(.resources(ids), observed: observed).actions.count == 3)
  }

  /// The ways of sweeping resources away.
  static let sweeps: [(String, @Sendable ([ObservedResource]) -> Plan)] = [
    ("no manifest declares it", { Make.plan([], over: $0, prune: true) }),
    (
      "its manifests are to be destroyed",
      { stored in
        Planner.planDestroy(
          .declared(stored.map(\.resource.id), set: "default"), observed: Make.observed(stored))
      }
    ),
    (
      "everything is to be destroyed",
      { Planner.planDestroy(.all(set: nil), observed: Make.observed($0)) }
    ),
  ]

  @Test("what is to be retained leaves its set and stays, with what it refers to", arguments: 0..<3)
  func retained(way: Int) throws {
    let (why, sweep) = Self.sweeps[way]
    let kept = Make.machine("db", ["lifecycle": Self.retain])
    let stored = [Make.image, kept, Self.volume("a")].map { Make.stored($0) }
    let plan = sweep(stored)
    try plan.validate()
    #expect(plan.words == ["retain VirtualMachine/db none", "delete Volume/a none"])
    #expect(plan.refusals == ["delete Image/debian in-use"])
    #expect(plan.summary.retain == 1 && plan.summary.destroy == 1)
    let action = try #require(plan.actions.first)
    #expect(
      action.reason
        == PlanReason(.retained, "\(why), and lifecycle.deletionPolicy is Retain"))
    #expect(plan.jsonValue["changes"]?.array?.first?["action"] == "retain")
  }

  @Test("what is retained already is left alone; by name it is refused with the way round")
  func retainedBefore() throws {
    let volume = Self.volume("a", Self.retain)
    let observed = Make.observed([Self.stored(volume, in: nil)])
    let all = Planner.planDestroy(.all(set: nil), observed: observed)
    #expect(all.isEmpty && all.unchanged == [volume.id])
    let named = Planner.planDestroy(.resources([volume.id]), observed: observed)
    #expect(named.refusals == ["delete Volume/a retained"])
    #expect(named.refused.first?.diagnostic.help?.contains("deletionPolicy: Delete") == true)
  }

  @Test("protection and retention are what was stored, not what the manifest says now")
  func byState() {
    let stored = [Make.stored(Self.volume("a", Self.retain))]
    #expect(Make.plan([Self.volume("a")], over: stored).words == ["update Volume/a none"])
    let observed = Make.observed(stored)
    #expect(
      Planner.planDestroy(.declared([Self.volume("a").id], set: "default"), observed: observed)
        .words == ["retain Volume/a none"])
    let both: JSONValue = ["deletionPolicy": "Retain", "deletionProtection": true]
    let protected = Make.observed([Make.stored(Self.volume("a", both))])
    #expect(
      Planner.planDestroy(.all(set: nil), observed: protected).refusals == [
        "delete Volume/a protected"
      ])
  }
}
