import EngineInterface
import JSON
import Planning
import Resources
import TestSupport
import Testing

@Suite("What a manifest declares, seen against what was applied last")
struct ThreeWayTests {
  /// What an ingot with other defaults applied last, of a manifest that set some fields.
  private func older(_ set: JSONValue, _ defaults: [(String, JSONValue)]) -> Resource {
    var resource = Make.machine("web", set)
    let written = resource.written
    for (path, value) in defaults { resource = resource.with(path, value) }
    resource.written = written
    return resource
  }

  private func plan(_ new: Resource, over old: Resource) -> Plan {
    Make.plan([new], over: [Make.stored(old), Make.stored(Make.image)])
  }

  @Test("a default that another version of ingot has is no difference")
  func changedDefault() throws {
    let old = older([:], [("cpu.model", "qemu64"), ("memory.guest", .integer(Make.gibi))])
    #expect(plan(Make.machine(), over: old).isEmpty)
    // Nor does it slip in with another change.
    let changed = plan(Make.machine().with("cpu.count", 2), over: old)
    #expect(changed.actions.first?.changes.map(\.path) == ["cpu.count"])
    let spec = try #require(changed.actions.first?.act.resource).spec
    #expect(spec["cpu"] == ["count": 2, "model": "qemu64", "reservation": 0])
    #expect(spec["memory"]?["guest"] == .integer(Make.gibi))
  }

  @Test("a field that the manifest no longer sets goes back to its default")
  func dropped() throws {
    let old = Make.machine("web", ["cpu": ["count": 4], "readinessProbe": ["guestAgent": [:]]])
    let plan = plan(Make.machine(), over: old)
    let changes = try #require(plan.actions.first).changes
    #expect(changes.map(\.path) == ["cpu.count", "readinessProbe"])
    #expect(changes.map(\.after) == [1, nil])
  }

  @Test("a field that only the new manifest sets is a difference, even to what is now the default")
  func newlySet() throws {
    let old = older([:], [("cpu.model", "qemu64")])
    let plan = plan(Make.machine().with("cpu.model", "host"), over: old)
    #expect(plan.actions.first?.changes.map(\.path) == ["cpu.model"])
  }

  @Test("elements of lists are merged by their keys")
  func elements() throws {
    func machine(_ ports: JSONValue) -> Resource {
      Make.machine("web", ["interfaces": [["name": "lan", "ports": ports]]])
    }
    var old = machine([["guest": 22], ["guest": 80, "host": 8080]])
    var lan = old.spec["interfaces"]?.array?[0] ?? [:]
    lan["ports"] = [
      ["address": "0.0.0.0", "guest": 22, "protocol": "tcp"],
      ["address": "127.0.0.1", "host": 8080, "guest": 80, "protocol": "tcp"],
    ]
    old.spec["interfaces"] = [lan]
    let new = machine([["guest": 80], ["guest": 22], ["guest": 443]])
    let plan = plan(new, over: old)
    #expect(
      plan.actions.first?.changes.map(\.path) == [
        "interfaces[lan].ports[80/tcp].host", "interfaces[lan].ports[443/tcp]",
        "interfaces[lan].ports",
      ])
    let spec = try #require(plan.actions.first?.act.resource).spec
    let ports = spec["interfaces"]?.array?.first?["ports"]?.array
    // What the other ingot chose for port 22 stays.
    #expect(ports?.map { $0["address"] } == ["127.0.0.1", "0.0.0.0", "127.0.0.1"])
  }
}
