import Diagnostics
import EmbeddedEngine
import EngineInterface
import JSON
import Planning
import Resources
import SystemIO
import Testing

@Suite("Files that were changed by another way")
struct StorageDriftTests {
  private func plan(_ resources: [Resource], _ engine: EmbeddedEngine) async throws -> Plan {
    let plan = Planner.plan(
      desired: DesiredState(resources: resources), observed: try await engine.observe())
    try plan.validate()
    return plan
  }

  private func apply(_ resources: [Resource], to engine: EmbeddedEngine) async throws {
    for action in try await plan(resources, engine).actions {
      _ = try await engine.perform(action.act, inputs: action.inputs) { _ in }
    }
  }

  private func refusals(_ plan: Plan) -> [String] {
    plan.refused.map { "\($0.id) \($0.diagnostic.code.rawValue) \($0.diagnostic.path)" }
  }

  /// A volume and a machine with a disk of its own, with the paths of their files.
  private func prepare(
    _ format: String
  ) async throws -> (EngineFixture, EmbeddedEngine, [Resource], [String]) {
    let fixture = try EngineFixture()
    let engine = try fixture.open()
    let resources = [
      volume("data", size: 2 << 20, format: format),
      machine("vm", disks: [disk("own", size: 2 << 20)], strategy: "Halted"),
    ]
    try await apply(resources, to: engine)
    #expect(try await plan(resources, engine).isEmpty)
    let data = try #require(try await engine.resource(.volume, "data")?.details["path"]?.string)
    let own = try #require(
      try await engine.resource(.virtualMachine, "vm")?.details["disks"]?.array?.first?["path"]?
        .string)
    return (fixture, engine, resources, [data, own])
  }

  private func resize(_ path: String, _ format: String, to size: Int, shrinks: Bool = false) throws
  {
    let more = shrinks ? ["--shrink"] : []
    _ = try run("/usr/bin/qemu-img", ["resize", "-q", "-f", format] + more + [path, "\(size)"])
  }

  @Test("A file that was made smaller is made larger again", arguments: ["qcow2", "raw"])
  func smaller(_ format: String) async throws {
    let (fixture, engine, resources, paths) = try await prepare(format)
    defer { fixture.cleanUp() }
    try resize(paths[0], format, to: 1 << 20, shrinks: true)
    try resize(paths[1], "qcow2", to: 1 << 20, shrinks: true)
    let plan = try await plan(resources, engine)
    #expect(plan.actions.map(\.reason.code) == [.drifted, .drifted])
    #expect(plan.drift.map(\.drift.path) == ["size", "disks[own].size"])
    #expect(plan.drift.map(\.drift.actual) == [.integer(1 << 20), .integer(1 << 20)])
    #expect(plan.drift.map(\.isMended) == [true, true])
    try await apply(resources, to: engine)
    #expect(try await self.plan(resources, engine).isEmpty)
    #expect(try imageInfo(paths[0], format)["virtual-size"] == .integer(2 << 20))
    #expect(try imageInfo(paths[1], "qcow2")["virtual-size"] == .integer(2 << 20))
  }

  @Test("A file that was made larger is refused until its size is declared")
  func larger() async throws {
    let (fixture, engine, resources, paths) = try await prepare("qcow2")
    defer { fixture.cleanUp() }
    for path in paths { try resize(path, "qcow2", to: 4 << 20) }
    let found = refusals(try await plan(resources, engine))
    #expect(
      found == [
        "Volume/data drifted spec.size", "VirtualMachine/vm drifted spec.disks[own].size",
      ])
    let declared = [
      volume("data", size: 4 << 20),
      machine("vm", disks: [disk("own", size: 4 << 20)], strategy: "Halted"),
    ]
    try await apply(declared, to: engine)
    #expect(try await plan(declared, engine).isEmpty)
  }

  @Test("A missing or foreign data file is a failure that says so, and never made anew empty")
  func missing() async throws {
    let (fixture, engine, resources, paths) = try await prepare("qcow2")
    defer { fixture.cleanUp() }
    try removeFile(paths[0])
    try replaceFile(paths[1], with: Array("not a disk".utf8))
    let observed = try #require(try await engine.resource(.volume, "data"))
    #expect(observed.phase == .failed)
    #expect(observed.reason == "its data file \(paths[0]) is missing")
    let plan = try await plan(resources, engine)
    #expect(plan.actions.isEmpty)
    #expect(
      refusals(plan) == [
        "Volume/data missing-data file", "VirtualMachine/vm drifted disks[own].file",
      ])
    #expect(!fileExists(paths[0]))
    // The way round.
    for var resource in resources {
      resource.set = PlanOptions.defaultSet
      try await engine.perform(.replace(resource))
    }
    #expect(try await self.plan(resources, engine).isEmpty)
    #expect(try await engine.audit() == [])
  }

  @Test("A pool's directory that is gone is made anew only where it held nothing")
  func pools() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    let resources = [
      pool("empty", path: fixture.root + "/empty"), pool("full", path: fixture.root + "/full"),
      volume("data", pool: "full"),
    ]
    try await apply(resources, to: engine)
    try removeTree(fixture.root + "/empty")
    try renameFile(fixture.root + "/full", to: fixture.root + "/elsewhere")
    let plan = try await plan(resources, engine)
    #expect(plan.actions.map { "\($0.act.verb) \($0.id)" } == ["update StoragePool/empty"])
    #expect(
      refusals(plan) == [
        "StoragePool/full missing-data directory", "Volume/data missing-data file",
      ])
    try await apply(resources, to: engine)
    #expect(fileExists(fixture.root + "/empty"))
    // Nothing is written where the pool isn't: an unmounted directory would hide it.
    try makeDirectories(fixture.root + "/full")
    let error = await #expect(throws: EngineError.self) {
      try await engine.perform(.create(volume("more", pool: "full")))
    }
    #expect(error?.code == "missing-data")
    #expect(try namesInDirectory(fixture.root + "/full") == [])
    try removeTree(fixture.root + "/full")
    try renameFile(fixture.root + "/elsewhere", to: fixture.root + "/full")
    #expect(try await self.plan(resources, engine).isEmpty)
  }

  @Test("An image whose disk is missing is built again, and its clones are whole again")
  func images() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    let resources = [
      image("base"), machine("vm", disks: [disk("root", image: "base")], strategy: "Halted"),
    ]
    try await apply(resources, to: engine)
    let path = try #require(try await engine.resource(.image, "base")?.details["path"]?.string)
    try removeFile(path)
    let plan = try await plan(resources, engine)
    #expect(plan.actions.map { "\($0.act.verb) \($0.reason.code)" } == ["replace failed"])
    #expect(refusals(plan) == ["VirtualMachine/vm missing-data disks[root].backing"])
    try await apply(resources, to: engine)
    #expect(fileExists(path))
    #expect(try await self.plan(resources, engine).isEmpty)
    #expect(try await engine.audit() == [])
  }

  @Test("What an act did meanwhile is no drift")
  func underWay() async throws {
    let (fixture, _, resources, paths) = try await prepare("qcow2")
    defer { fixture.cleanUp() }
    do {
      let engine = try fixture.open(checkpoint: { name in
        if name == "after update Volume grow" { throw SimulatedDeath(step: name) }
      })
      await #expect(throws: SimulatedDeath.self) {
        try await engine.perform(.update(volume("data", size: 4 << 20), restart: false))
      }
    }
    let engine = try fixture.open()
    #expect(try imageInfo(paths[0], "qcow2")["virtual-size"] == .integer(4 << 20))
    let left = try #require(try await engine.resource(.volume, "data"))
    #expect(left.phase == .incomplete && left.drift.isEmpty)
    _ = resources
  }
}
