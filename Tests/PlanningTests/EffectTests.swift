import Diagnostics
import EngineInterface
import JSON
import Planning
import Resources
import TestSupport
import Testing

@Suite("What a plan says about the running guest")
struct EffectTests {
  /// A change of one field and what it does to a guest that runs, may be restarted, is down.
  struct Case: Sendable, CustomTestStringConvertible {
    var path: String
    var value: JSONValue
    var running: Effect
    var restarting: Effect
    var down: Effect
    var testDescription: String { path }
  }

  static let cases: [Case] = [
    Case(path: "cpu.count", value: 4, running: .nextBoot, restarting: .restart, down: .none),
    Case(path: "cpu.model", value: "max", running: .nextBoot, restarting: .restart, down: .none),
    Case(
      path: "memory.guest", value: .integer(1 << 30), running: .nextBoot, restarting: .restart,
      down: .none),
    Case(path: "cpu.reservation", value: 500, running: .live, restarting: .live, down: .none),
    Case(path: "resourcePool", value: "dev", running: .live, restarting: .live, down: .none),
    Case(
      path: "firmware.boot", value: "bios", running: .nextBoot, restarting: .restart, down: .none),
    Case(path: "terminationGracePeriod", value: 60, running: .live, restarting: .live, down: .none),
    Case(
      path: "lifecycle.deletionProtection", value: true, running: .none, restarting: .none,
      down: .none),
    Case(
      path: "disks", value: [["name": "root", "image": "other"]], running: .replace,
      restarting: .replace, down: .replace),
    Case(
      path: "disks",
      value: [["name": "root", "image": "debian"], ["name": "b", "size": .integer(1 << 30)]],
      running: .nextBoot, restarting: .restart, down: .none),
    Case(path: "runStrategy", value: "Manual", running: .live, restarting: .live, down: .none),
    Case(
      path: "runStrategy", value: "Halted", running: .restart, restarting: .restart, down: .none),
  ]

  @Test(
    "the effect depends on the field, on whether a guest runs and on what is allowed",
    arguments: cases)
  func effects(_ item: Case) throws {
    let old = Make.machine()
    let new = old.with(item.path, item.value)
    let rest = [
      Make.image, Make.pool("dev"),
      Resource.normalized(.image, "other", ["source": ["archive": ["path": "/o.tar"]]]),
    ]
    func effect(_ state: MachineStatus.State, _ allowRestart: Bool) throws -> Effect {
      let plan = Make.plan(
        rest + [new], over: (rest + [old]).map { Make.stored($0, state) },
        allowRestart: allowRestart, allowReplace: true)
      try plan.validate()
      let action = try #require(plan.actions.first)
      #expect(plan.actions.count == 1)
      #expect(action.changes.map(\.effect).max() == action.effect)
      if case .update(_, let restart) = action.act {
        #expect(restart == (action.effect == .restart))
      }
      return action.effect
    }
    #expect(try effect(.running, false) == item.running)
    #expect(try effect(.running, true) == (item.value == "Halted" ? .restart : item.restarting))
    #expect(try effect(.halted, false) == item.down)
    #expect(try effect(.paused, false) == item.running)
  }

  @Test("labels are changed without a guest noticing")
  func labels() throws {
    var new = Make.machine()
    new.labels = [.init(name: "app", value: "web")]
    let plan = Make.plan([new], over: [Make.stored(Make.machine()), Make.stored(Make.image)])
    #expect(plan.words == ["update VirtualMachine/web none"])
    #expect(plan.actions.first?.changes.map(\.path) == ["metadata.labels"])
  }

  @Test(
    "a volume in use grows live, an unused one without anybody noticing", arguments: [true, false])
  func volume(isUsed: Bool) {
    let old = Resource.normalized(.volume, "data", ["size": .integer(Make.gibi)])
    let user = Make.machine("web", ["disks": [["name": "d", "volume": "data"]]])
    let plan = Make.plan(
      [old.with("size", .integer(2 * Make.gibi))],
      over: [Make.stored(old)] + (isUsed ? [Make.stored(user)] : []))
    #expect(plan.words == ["update Volume/data \(isUsed ? "live" : "none")"])
  }

  @Test("a pool above that of a running machine changes live")
  func poolAbove() {
    let top = Make.pool("top")
    let stored = [
      top, Make.pool("low", parent: "top"), Make.machine("web", memory: Make.mebi, pool: "low"),
      Make.image,
    ]
    let plan = Make.plan([top.with("cpu.shares", 5)], over: stored.map { Make.stored($0) })
    #expect(plan.words == ["update ResourcePool/top live"])
  }

  @Test("a shrinking disk is refused with the way round")
  func shrinking() throws {
    let old = Resource.normalized(.volume, "data", ["size": .integer(2 * Make.gibi)])
    let plan = Make.plan([old.with("size", .integer(Make.gibi))], over: [Make.stored(old)])
    #expect(plan.actions.isEmpty)
    let problem = try #require(plan.refused.first).diagnostic
    #expect(problem.code == "refused-change")
    #expect(problem.path == "spec.size")
    #expect(problem.message == "cannot change from 2Gi to 1Gi")
    #expect(problem.help?.contains("copy the data") == true)
  }

  @Test("fields that wait for a restart are asked for again only where restarts are allowed")
  func waiting() {
    let machine = Make.machine()
    let stored = [Make.stored(machine, restartRequired: ["memory.guest"]), Make.stored(Make.image)]
    #expect(Make.plan([machine], over: stored).isEmpty)
    let plan = Make.plan([machine], over: stored, allowRestart: true)
    #expect(plan.words == ["update VirtualMachine/web restart"])
    #expect(plan.actions.first?.reason.message == "restart wanted by memory.guest")
  }

  @Test("an image is made anew without its machines noticing")
  func image() {
    let stored = [Make.stored(Make.image, inputs: "a"), Make.stored(Make.machine())]
    let desired = [Make.image, Make.machine()]
    #expect(Make.plan(desired, over: stored, inputs: [ResourceID(.image, "debian"): "a"]).isEmpty)
    let plan = Make.plan(desired, over: stored, inputs: [ResourceID(.image, "debian"): "b"])
    #expect(plan.words == ["replace Image/debian none"])
    #expect(plan.actions.first?.reason.code == .inputsChanged)
    #expect(plan.actions.first?.inputs == "b")
    let changed = [Make.image.with("mode", "migrate"), Make.machine()]
    let other = Make.plan(changed, over: stored)
    #expect(other.words == ["replace Image/debian none"])
    #expect(other.actions.first?.reason.message == "mode cannot change in place")
  }

  @Test("a secret with another value is a change of cloudInit that shows nothing of it")
  func secrets() {
    var machine = Make.machine().with(
      "cloudInit",
      ["secrets": [["name": "db", "env": "DB"]], "userData": ["password": "${secret.db}"]])
    let stored = [Make.stored(Make.image), Make.stored(machine, inputs: "a")]
    func plan(_ digest: String, _ machine: Resource) -> Plan {
      Make.plan([Make.image, machine], over: stored, inputs: [machine.id: digest])
    }
    #expect(plan("a", machine).isEmpty)
    let changes = plan("b", machine).actions.first?.changes ?? []
    #expect(changes.map(\.path) == ["cloudInit"] && changes.first?.effect == .nextBoot)
    #expect(changes.first?.before == "(sensitive)" && changes.first?.after == "(sensitive)")
    machine.spec["cloudInit"]?["userData"] = ["password": "x${secret.db}"]
    let data = plan("a", machine).actions.first?.changes ?? []
    #expect(data.map(\.path) == ["cloudInit.userData"] && data.first?.after == "(sensitive)")
  }
}
