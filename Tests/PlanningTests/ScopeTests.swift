import EngineInterface
import JSON
import Planning
import Resources
import TestSupport
import Testing

@Suite("Which resources a plan is about")
struct ScopeTests {
  static let volume = Resource.normalized(.volume, "data", ["size": .integer(Make.gibi)])
  static let web = labelled(
    Make.machine(
      "web",
      [
        "resourcePool": "low",
        "disks": [["name": "root", "image": "debian"], ["name": "d", "volume": "data"]],
      ]), "web")
  static let db = labelled(Make.machine("db"), "db")
  static let all = [
    Make.image, volume, Make.pool("top"), Make.pool("low", parent: "top"), web, db,
  ]

  static func labelled(_ resource: Resource, _ app: String) -> Resource {
    var resource = resource
    resource.labels = [.init(name: "app", value: app)]
    return resource
  }

  private func names(_ scope: PlanScope) -> [String] {
    Planner.plan(
      desired: DesiredState(resources: Self.all), observed: Make.observed(),
      options: PlanOptions(scope: scope)
    ).actions.map(\.id.name).sorted()
  }

  @Test("a target takes along what it refers to, and what that refers to")
  func target() throws {
    #expect(
      names(PlanScope(targets: [Self.web.id])) == ["data", "debian", "low", "top", "web"])
    #expect(names(PlanScope(targets: [Self.volume.id, Self.db.id])) == ["data", "db", "debian"])
  }

  @Test("what is excluded is left out, also where it would be taken along")
  func exclude() {
    #expect(names(PlanScope(excluded: [Self.web.id])) == ["data", "db", "debian", "low", "top"])
    let plan = Planner.plan(
      desired: DesiredState(resources: Self.all), observed: Make.observed(),
      options: PlanOptions(scope: PlanScope(targets: [Self.web.id], excluded: [Self.volume.id])))
    #expect(plan.refusals == ["create VirtualMachine/web missing-reference"])
  }

  @Test("labels select, beside what is named")
  func labels() throws {
    let web = try LabelSelector("app=web")
    #expect(names(PlanScope(selectors: [web])) == names(PlanScope(targets: [Self.web.id])))
    #expect(names(PlanScope(targets: [Self.db.id], selectors: [web])).count == 6)
    #expect(names(PlanScope(selectors: [web, try LabelSelector("app!=web")])) == [])
  }

  @Test("pruning and destroying keep to the scope; what is declared and not meant stays")
  func destroying() {
    let stored = Self.all.map { Make.stored($0) }
    let scope = PlanScope(targets: [Self.db.id])
    let prune = Planner.plan(
      desired: DesiredState(resources: [Make.image]), observed: Make.observed(stored),
      options: PlanOptions(prune: true, scope: scope))
    #expect(prune.words == ["delete VirtualMachine/db replace"])
    let declared = Planner.plan(
      desired: DesiredState(resources: Self.all), observed: Make.observed(stored),
      options: PlanOptions(prune: true, scope: scope))
    #expect(declared.isEmpty)
    let destroy = Planner.planDestroy(
      .all(set: nil), observed: Make.observed(stored),
      scope: PlanScope(excluded: [Self.web.id]))
    #expect(destroy.words == ["delete VirtualMachine/db replace"])
    #expect(
      destroy.refusals == [
        "delete ResourcePool/low in-use", "delete ResourcePool/top in-use",
        "delete Image/debian in-use", "delete Volume/data in-use",
      ])
  }
}
