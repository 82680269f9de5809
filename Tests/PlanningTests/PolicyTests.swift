import Diagnostics
import EngineInterface
import JSON
import Planning
import Resources
import TestSupport
import Testing

@Suite("What a machine's policy allows")
struct PolicyTests {
  static func machine(_ restart: String, _ replace: String = "Forbid") -> Resource {
    Make.machine(
      "web", ["updatePolicy": ["restart": .string(restart), "replace": .string(replace)]])
  }

  /// The policy, whether `--restart` is given, the state, and what becomes of a change of CPUs.
  static let restarts: [(String, Bool, MachineStatus.State, String)] = [
    ("Never", false, .running, "update VirtualMachine/web restart-forbidden"),
    ("Never", true, .running, "update VirtualMachine/web restart-forbidden"),
    ("Never", false, .paused, "update VirtualMachine/web restart-forbidden"),
    ("Never", false, .halted, "update VirtualMachine/web none"),
    ("WhenStopped", false, .running, "update VirtualMachine/web next-boot"),
    ("WhenStopped", true, .running, "update VirtualMachine/web restart"),
    ("WhenStopped", true, .halted, "update VirtualMachine/web none"),
    ("Automatic", false, .running, "update VirtualMachine/web restart"),
    ("Automatic", true, .running, "update VirtualMachine/web restart"),
    ("Automatic", false, .halted, "update VirtualMachine/web none"),
  ]

  @Test("a change that needs a restart is refused, staged or done", arguments: restarts)
  func restart(_ policy: String, _ flag: Bool, _ state: MachineStatus.State, _ what: String) throws
  {
    // A halted machine that shall run would be started as well.
    let old = Self.machine(policy).with("runStrategy", "Manual")
    let plan = Make.plan(
      [old.with("cpu.model", "max")], over: [Make.stored(old, state), Make.stored(Make.image)],
      allowRestart: flag)
    try plan.validate()
    #expect(plan.words + plan.refusals == [what])
    if let problem = plan.refused.first?.diagnostic {
      #expect(problem.path == "spec.cpu.model")
      #expect(problem.help?.contains("ingot stop web") == true)
      #expect(problem.help?.contains("updatePolicy.restart") == true)
    }
    if case .update(_, let restart) = plan.actions.first?.act {
      #expect(restart == what.hasSuffix("restart"))
    }
  }

  @Test("what needs no restart goes on under any policy", arguments: ["Never", "Automatic"])
  func live(_ policy: String) {
    let old = Self.machine(policy)
    let plan = Make.plan(
      [old.with("terminationGracePeriod", 5)],
      over: [Make.stored(old), Make.stored(Make.image)])
    #expect(plan.words == ["update VirtualMachine/web live"])
  }

  @Test(
    "a network defined anew has its machines restarted where the policy restarts at once",
    arguments: [
      ("WhenStopped", false, 1), ("WhenStopped", true, 2), ("Automatic", false, 2),
      ("Never", true, 1),
    ])
  func network(_ policy: String, _ flag: Bool, _ count: Int) throws {
    var old = Self.machine(policy)
    old.spec["interfaces"] = [["name": "lan", "network": "lab"]]
    let lab = Resource.normalized(.network, "lab", ["mode": "user"])
    let plan = Make.plan(
      [lab.with("subnet", "10.9.0.0/24"), old],
      over: [Make.stored(lab), Make.stored(old), Make.stored(Make.image)], allowRestart: flag)
    try plan.validate()
    let words = ["update Network/lab next-boot", "update VirtualMachine/web restart"]
    #expect(plan.words == Array(words.prefix(count)))
    #expect(
      plan.actions.dropFirst().first?.reason.message
        == (count == 2 ? "restart wanted by interfaces[lan].network" : nil))
  }

  @Test("the policy that counts is the one declared")
  func declared() {
    let stored = [Make.stored(Self.machine("Never")), Make.stored(Make.image)]
    let plan = Make.plan([Self.machine("Automatic").with("cpu.model", "max")], over: stored)
    #expect(plan.words == ["update VirtualMachine/web restart"])
    // And one that asks for a guest that is down needs nobody's leave.
    let down = Self.machine("Never").with("cpu.model", "max").with("runStrategy", "Halted")
    #expect(Make.plan([down], over: stored).words == ["update VirtualMachine/web restart"])
  }

  @Test("what waits for the next boot is done at once where restarts are automatic")
  func waiting() {
    let machine = Self.machine("Automatic")
    let stored = [Make.stored(machine, restartRequired: ["cpu.model"]), Make.stored(Make.image)]
    let plan = Make.plan([machine], over: stored)
    #expect(plan.words == ["update VirtualMachine/web restart"])
    let never = [
      Make.stored(Self.machine("Never"), restartRequired: ["cpu.model"]), Make.stored(Make.image),
    ]
    #expect(Make.plan([Self.machine("Never")], over: never, allowRestart: true).isEmpty)
  }

  @Test("mending is held to the policy too", arguments: ["Never", "WhenStopped", "Automatic"])
  func drift(_ policy: String) {
    var stored = Make.stored(Self.machine(policy))
    stored.drift = [Drift(path: "cpu.count", applied: 1, actual: 2, effect: .nextBoot)]
    let plan = Make.plan([Self.machine(policy)], over: [stored, Make.stored(Make.image)])
    let expected = [
      "Never": "update VirtualMachine/web restart-forbidden",
      "WhenStopped": "update VirtualMachine/web next-boot",
      "Automatic": "update VirtualMachine/web restart",
    ]
    #expect(plan.words + plan.refusals == [expected[policy]])
  }

  static let disks: JSONValue = [
    ["name": "root", "image": "debian"], ["name": "scratch", "size": .integer(1 << 30)],
    ["name": "data", "volume": "data"],
  ]
  static let volume = Resource.normalized(.volume, "data", ["size": .integer(1 << 30)])
  static let other = Resource.normalized(.image, "o", ["source": ["archive": ["path": "/o.tar"]]])

  /// The policy, whether `--allow-replace` is given, whether it is named by `--replace`.
  static let replacements: [(String, Bool, Bool, String)] = [
    ("Forbid", false, false, "replace VirtualMachine/web replace-forbidden"),
    ("Forbid", true, false, "replace VirtualMachine/web replace"),
    ("Forbid", false, true, "replace VirtualMachine/web replace"),
    ("Allow", false, false, "replace VirtualMachine/web replace"),
  ]

  @Test(
    "a machine is made anew only where that is allowed, and what is lost is said",
    arguments: replacements)
  func replace(_ policy: String, _ flag: Bool, _ isNamed: Bool, _ what: String) throws {
    let old = Self.machine("WhenStopped", policy).with("disks", Self.disks)
    var disks = Self.disks.array ?? []
    disks[0]["image"] = "o"
    let rest = [Make.image, Self.other, Self.volume]
    let plan = Make.plan(
      rest + [old.with("disks", .array(disks))], over: (rest + [old]).map { Make.stored($0) },
      allowReplace: flag, replace: isNamed ? [old.id] : [])
    try plan.validate()
    #expect(plan.words + plan.refusals == [what])
    if let action = plan.actions.first {
      #expect(action.lost == ["disks[root]", "disks[scratch]"])
      #expect(action.reason.code == (isNamed ? .replaceRequested : .immutableFieldChanged))
      #expect(
        plan.jsonValue["changes"]?.array?.first?["lost"] == ["disks[root]", "disks[scratch]"])
    } else {
      let help = try #require(plan.refused.first?.diagnostic.help)
      #expect(help.contains("--allow-replace"))
      #expect(help.contains("disks[root], disks[scratch] would be lost"))
    }
  }

  @Test("what is named by --replace is made anew though nothing differs; what is protected isn't")
  func forced() {
    let stored = [Make.image, Make.machine(), Self.volume].map { Make.stored($0) }
    let desired = [Make.image, Make.machine(), Self.volume]
    let plan = Make.plan(desired, over: stored, replace: [Self.volume.id, Make.machine().id])
    #expect(plan.words == ["replace Volume/data none", "replace VirtualMachine/web replace"])
    #expect(plan.actions.map(\.reason.code) == [.replaceRequested, .replaceRequested])
    #expect(plan.actions.first?.lost == ["data"])
    let kept = Self.volume.with("lifecycle.deletionProtection", true)
    let refused = Make.plan([kept], over: [Make.stored(kept)], replace: [kept.id])
    #expect(refused.refusals == ["replace Volume/data protected"])
    // What can't change in place can in one that is made anew.
    let smaller = Self.volume.with("size", .integer(1 << 20))
    #expect(
      Make.plan([smaller], over: [Make.stored(Self.volume)], replace: [smaller.id]).words
        == ["replace Volume/data none"])
  }

  @Test("a volume that a guest has open isn't made anew, nor moved while a machine knows its place")
  func openVolume() {
    let user = Make.machine("web", ["disks": [["name": "d", "volume": "data"]]])
    let moved = Self.volume.with("format", "raw")
    for (desired, state, isRefused) in [
      (Self.volume, MachineStatus.State.running, true), (Self.volume, .halted, false),
      (moved, .halted, true),
    ] {
      let plan = Make.plan(
        [desired], over: [Make.stored(Self.volume), Make.stored(user, state)],
        replace: [desired.id])
      #expect(plan.refusals == (isRefused ? ["replace Volume/data in-use"] : []))
    }
  }
}
