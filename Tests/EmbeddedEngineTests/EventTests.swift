import Diagnostics
import EmbeddedEngine
import EngineInterface
import JSON
import Resources
import SystemIO
import Testing

@Suite("Events")
struct EventTests {
  private static let alice = EngineActor(
    userID: 1000, userName: "alice", loginName: "bob", command: "ingot apply --var x=…",
    processID: 77)

  private func events(_ engine: EmbeddedEngine) async throws -> [EngineEvent] {
    try await engine.events(after: 0, limit: 100_000)
  }

  @Test("tell who did it, which manifest asked for it and which fields changed, not their values")
  func audit() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open(actor: Self.alice)
    var pool = resourcePool("dev")
    pool.source = SourceSpan(file: "site.yaml", line: 3, column: 1, length: 4)
    try await engine.perform(.create(pool))
    pool.spec["cpu"] = ["shares": 77_777, "reservation": 0, "expandable": true]
    pool.labels = [Resource.Label(name: "team", value: "secret-team")]
    try await engine.perform(.update(pool, restart: false))
    // Another process, another user; a delete has no manifest.
    let other = EngineActor(
      userID: 0, userName: nil, command: "ingot delete rp/dev", processID: 78)
    try await fixture.open(actor: other).perform(.delete(pool.id))
    let found = try await events(engine)
    #expect(found.map(\.reason) == ["Created", "Updated", "Deleted"])
    #expect(found.map(\.actor) == [Self.alice, Self.alice, other])
    #expect(found.map(\.actor?.name) == ["alice (bob)", "alice (bob)", "user 0"])
    #expect(found.map(\.source) == [pool.source, pool.source, nil])
    #expect(found[0].changes.isEmpty && found[2].changes.isEmpty)
    #expect(
      found[1].changes == [
        .init(path: "metadata.labels", effect: .none), .init(path: "cpu.shares", effect: .live),
      ])
    // Nothing of the values is in the rows, whatever the columns.
    for event in found {
      #expect(!"\(event)".contains("77777") && !"\(event)".contains("secret-team"))
    }
  }

  @Test("of a failure name who met it; verbs on machines name who asked")
  func others() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open(actor: Self.alice) { step in
      if step == "before create Volume file" { throw SystemError("write", "disk", errno: 28) }
    }
    await #expect(throws: EngineError.self) { try await engine.perform(.create(volume("data"))) }
    #expect(try await events(engine).map(\.reason) == ["Failed"])
    #expect(try await events(engine).first?.actor == Self.alice)

    try await engine.perform(.create(image("boot")))
    try await engine.perform(.create(machine("m", disks: [disk("root", image: "boot")])))
    try await engine.control("m", .start)
    try await engine.control("m", .stop(grace: 0))
    _ = try await engine.observe()
    let found = try await events(engine).filter { $0.id?.name == "m" }
    #expect(
      found.map(\.reason) == [
        "Created", "StartRequested", "StopRequested", "Started", "Ready", "Exited", "NotReady",
      ])
    // What the guest did is nobody's act.
    #expect(found.map { $0.actor != nil } == [true, true, true, false, false, false, false])
  }

  @Test("are kept up to a number, and up to an age but for the newest")
  func retention() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    let database = fixture.home + "/state.db"
    func fill(_ count: Int, time: String) throws {
      try sqlite(
        database,
        """
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(count))
        INSERT INTO events (time, reason, message) SELECT \(time), 'Old', 'old' FROM n;
        """)
    }
    try fill(10_100, time: "unixepoch()")
    try await engine.perform(.create(resourcePool("a")))
    #expect(try await events(engine).count == 10_000)
    #expect(try await events(engine).last?.reason == "Created")

    try sqlite(database, "DELETE FROM events;")
    try fill(1100, time: "unixepoch() - 91 * 86400")
    for name in ["b", "c", "d", "e"] { try await engine.perform(.create(resourcePool(name))) }
    // 104 of 1104 are beyond the newest 1000; 64 go with the first act, the rest with the next.
    #expect(try await events(engine).count == 1000)
    try sqlite(database, "DELETE FROM events;")
    try fill(1100, time: "unixepoch() - 89 * 86400")
    for name in ["f", "g"] { try await engine.perform(.create(resourcePool(name))) }
    #expect(try await events(engine).count == 1102)
  }

  @Test("of an older store are there after its migration")
  func migration() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    do {
      let engine = try fixture.open(actor: Self.alice)
      try await engine.perform(.create(resourcePool("a")))
    }
    try sqlite(
      fixture.home + "/state.db",
      """
      ALTER TABLE events DROP COLUMN actor; ALTER TABLE events DROP COLUMN source;
      ALTER TABLE events DROP COLUMN changes;
      DELETE FROM grdb_migrations WHERE identifier = '5-actors';
      """)
    let engine = try fixture.open(actor: Self.alice)
    try await engine.perform(.delete(ResourceID(.resourcePool, "a")))
    let found = try await events(engine)
    #expect(found.map(\.reason) == ["Created", "Deleted"])
    #expect(found.map(\.actor) == [nil, Self.alice])
  }

  @Test("that can't be read are an error", arguments: ["'[]'", "'{\"uid\": -1}'", "'x'"])
  func damage(actor: String) async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open(actor: Self.alice)
    try await engine.perform(.create(resourcePool("a")))
    try sqlite(fixture.home + "/state.db", "UPDATE events SET actor = \(actor);")
    let error = await #expect(throws: EngineError.self) { try await events(engine) }
    #expect(error?.code == "store-corrupt")
  }
}
