import EmbeddedEngine
import EngineInterface
import Glibc
import JSON
import Resources
import SystemIO
import TestSupport
import Testing

@Suite("The state database")
struct StoreTests {
  @Test("A new home holds the built-in resources and is its owner's alone")
  func builtIns() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let state = try await fixture.open().observe()
    #expect(
      state.resources.map(\.resource.id.description) == [
        "StoragePool/default", "ResourcePool/default", "Network/default",
      ])
    #expect(state.resources.allSatisfy { $0.isBuiltIn && $0.phase == .ready })
    let home = try Descriptor.open(fixture.home, [.read, .directory]).status()
    #expect(home.mode & 0o777 == 0o700)
    let database = try Descriptor.open(fixture.home + "/state.db", .read).status()
    #expect(database.mode & 0o777 == 0o600)
  }

  @Test("State, identity and generation survive reopening; each change counts")
  func persistence() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    var resource = resourcePool("dev")
    resource.labels = [Resource.Label(name: "team", value: "a")]
    resource.annotations = [Resource.Label(name: "note", value: "ünïcode \u{1F600}")]
    resource.written = WrittenFields(["cpu.shares", "memory.limit"])
    resource.set = "web"
    let before: ObservedState
    do {
      let engine = try fixture.open()
      let empty = try await engine.observe()
      try await engine.perform(.create(resource))
      before = try await engine.observe()
      #expect(before.generation > empty.generation)
    }
    let after = try await fixture.open().observe()
    #expect(after.engineID == before.engineID)
    #expect(after.generation == before.generation)
    #expect(after.resources == before.resources)
    let found = try #require(after.resources.first { $0.resource.id == resource.id })
    #expect(found.resource == resource)
    #expect(!found.isBuiltIn)
  }

  @Test("Each commit is synchronised, also by acts that share one; a failing act fails alone")
  func sharedCommits() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    // `PRAGMA synchronous`: 2 is FULL.
    #expect(try engine.commitSynchronisation() == 2)
    await withTaskGroup(of: Void.self) { group in
      for index in 0..<40 {
        group.addTask {
          let size: Int64 = index % 4 == 0 ? -1 : 1 << 20
          // Every fourth is refused inside its transaction.
          _ = try? await engine.perform(.create(volume("v\(index)", size: size)))
        }
      }
    }
    let names = try await engine.observe().resources.map(\.resource.id)
      .filter { $0.kind == .volume }.map(\.name)
    #expect(names == (0..<40).filter { $0 % 4 != 0 }.map { "v\($0)" }.sorted())
    #expect(try await engine.audit() == [])
  }

  @Test("The built-in specifications have every field with a default, and no other")
  func builtInSpecs() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    for row in try await fixture.open().observe().resources {
      let fields = Schema.table(for: row.resource.id.kind).fields
      for field in fields where field.defaultValue != nil || field.isRequired {
        #expect(row.resource.spec[field.name] != nil, "\(row.resource.id): \(field.name)")
      }
      let known = Set(fields.map(\.name))
      #expect(row.resource.spec.object?.names.allSatisfy(known.contains) == true)
    }
  }

  @Test("A relative home and a home that is a file are refused", arguments: ["relative", "file"])
  func badHome(_ sort: String) throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    var home = "state"
    if sort == "file" {
      home = fixture.root + "/file"
      try replaceFile(home, with: [])
    }
    let error = #expect(throws: EngineError.self) {
      try EmbeddedEngine.open(
        home: home, host: .live(), imageBuilder: fixture.builder,
        programs: EngineFixture.programs)
    }
    #expect(error?.message.contains(home) == true)
  }

  @Test(
    "A damaged database is an error with the way out, never an empty engine",
    arguments: ["garbage", "header", "truncated", "pages", "directory"])
  func corruption(_ sort: String) async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    do {
      let engine = try fixture.open()
      for number in 0..<40 { try await engine.perform(.create(resourcePool("pool-\(number)"))) }
    }
    let path = fixture.home + "/state.db"
    // Without its log the database is the file alone.
    try sqlite(path, "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE")
    var bytes = try readFile(path)
    switch sort {
    case "garbage": bytes = (0..<bytes.count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    case "header": bytes[16] ^= 0xff
    case "truncated": bytes.removeLast(bytes.count / 2)
    case "pages":
      for index in 4096..<bytes.count { bytes[index] = 0xaa }
    default: break
    }
    if sort == "directory" {
      try removeFile(path)
      try makeDirectories(path)
    } else {
      try replaceFile(path, with: bytes)
    }
    let error = await #expect(throws: EngineError.self) {
      try await fixture.open().observe()
    }
    let codes: [EngineError.Code] = ["store-corrupt", "denied"]
    #expect(codes.contains(try #require(error).code), "\(String(describing: error))")
    #expect(error?.help != nil)
  }

  @Test(
    "A row that can't be read stops everything",
    arguments: [
      "UPDATE resources SET spec = 'no json' WHERE name = 'dev'",
      "UPDATE resources SET spec = '[]' WHERE name = 'dev'",
      "UPDATE resources SET phase = 'odd' WHERE name = 'dev'",
      "UPDATE resources SET kind = 'Planet' WHERE name = 'dev'",
      "UPDATE resources SET labels = '{\"a\":1}' WHERE name = 'dev'",
      "UPDATE resources SET explicit = '{}' WHERE name = 'dev'",
      "UPDATE resources SET source = '[1]' WHERE name = 'dev'",
      "UPDATE resources SET builtin = 7 WHERE name = 'dev'",
      "DELETE FROM engine",
      "UPDATE engine SET id = 'x'",
    ])
  func badRow(_ statement: String) async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    do { try await fixture.open().perform(.create(resourcePool("dev"))) }
    try sqlite(fixture.home + "/state.db", statement)
    if statement == "DELETE FROM engine" {
      // Then the store looks new, but the built-in rows are there already.
      await #expect(throws: EngineError.self) { try await fixture.open().observe() }
      return
    }
    let error = await #expect(throws: EngineError.self) { try await fixture.open().observe() }
    #expect(error?.code == "store-corrupt", "\(String(describing: error))")
    #expect(error?.help?.contains("backup") == true)
  }

  @Test("A database of a newer ingot is refused as such")
  func newer() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    do { _ = try fixture.open() }
    try sqlite(
      fixture.home + "/state.db", "INSERT INTO grdb_migrations VALUES ('99-from-the-future')")
    let error = #expect(throws: EngineError.self) { try fixture.open() }
    #expect(error?.code == "newer-store")
  }

  @Test("What an older ingot made belongs to the apply set 'default', and its disks are made")
  func olderStore() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    do { try await fixture.open().perform(.create(volume("data"))) }
    try sqlite(
      fixture.home + "/state.db",
      """
      ALTER TABLE resources DROP COLUMN apply_set; ALTER TABLE disks DROP COLUMN made;
      ALTER TABLE machines DROP COLUMN replacing; ALTER TABLE events DROP COLUMN actor;
      ALTER TABLE events DROP COLUMN source; ALTER TABLE events DROP COLUMN changes;
      ALTER TABLE machines DROP COLUMN running_inputs;
      ALTER TABLE machines DROP COLUMN running_networks;
      DELETE FROM grdb_migrations WHERE identifier != '1-first';
      """)
    let engine = try fixture.open()
    let state = try await engine.observe()
    let sets = state.resources.map { "\($0.resource.id) \($0.resource.set ?? "none")" }
    #expect(
      sets == [
        "StoragePool/default none", "ResourcePool/default none", "Network/default none",
        "Volume/data default",
      ])
    let path = try #require(state.resources.last?.details["path"]?.string)
    try removeFile(path)
    let error = await #expect(throws: EngineError.self) {
      try await engine.perform(.update(volume("data"), restart: false))
    }
    #expect(error?.code == "missing-data")
  }

  @Test("What is retained leaves its apply set and nothing else")
  func retain() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    var made = volume("data")
    made.set = "web"
    try await engine.perform(.create(made))
    let before = try await engine.observe()
    try await engine.perform(.retain(made.id))
    let after = try await engine.observe()
    #expect(after.generation > before.generation)
    var expected = before.resources
    expected[expected.count - 1].resource.set = nil
    #expect(after.resources == expected)
    #expect(try await engine.audit() == [])
    let error = await #expect(throws: EngineError.self) {
      try await engine.perform(.retain(ResourceID(.volume, "none")))
    }
    #expect(error?.code == "not-found")
  }

  @Test(
    "A copied home is refused, as its records lead to the original's disks; a linked one is not")
  func copiedHome() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    do { _ = try await fixture.open().perform(.create(volume("data"))) }
    func open(_ home: String) throws -> EmbeddedEngine {
      try EmbeddedEngine.open(
        home: home, host: .live(), imageBuilder: fixture.builder, programs: EngineFixture.programs)
    }
    let copy = fixture.root + "/copy"
    try Tool.check("cp", ["-a", fixture.home, copy])
    let error = #expect(throws: EngineError.self) { try open(copy) }
    #expect(error?.code == "moved-home")
    #expect(error?.message.contains(fixture.home) == true)

    // A moved one is good where its old place leads to it.
    let moved = fixture.root + "/moved"
    try renameFile(fixture.home, to: moved)
    #expect(throws: EngineError.self) { try open(moved) }
    try Tool.check("ln", ["-s", moved, fixture.home])
    let engine = try open(moved)
    #expect(try await engine.audit() == [])
    _ = try await engine.perform(.delete(ResourceID(.volume, "data")))
    #expect(try namesInDirectory(moved + "/pools/default") == [".ingot-pool"])
    #expect(try namesInDirectory(copy + "/pools/default").count == 2)
  }

  @Test("A second command is told who holds the lock; the lock ends with its holder")
  func commandLock() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let first = try fixture.open()
    let second = try fixture.open()
    let held = try await first.lock(for: "apply")
    let error = await #expect(throws: EngineError.self) {
      _ = try await second.lock(for: "destroy")
    }
    #expect(error?.code == "busy")
    #expect(error?.message.contains("`ingot apply`, process ") == true)
    held.release()
    try await second.lock(for: "destroy").release()
    #expect(try readFile(fixture.home + "/lock").isEmpty)
  }

  @Test("Events tell what was done, in order, from any number on")
  func events() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    try await engine.perform(.create(resourcePool("a")))
    try await engine.perform(.delete(ResourceID(.resourcePool, "a")))
    let all = try await engine.events(after: 0, limit: 100)
    #expect(all.map(\.reason) == ["Created", "Deleted"])
    let first = try #require(all.first)
    #expect(try await engine.events(after: first.sequence, limit: 100) == Array(all.dropFirst()))
    #expect(try await engine.events(after: 0, limit: 1) == [first])
  }

  @Test("A full disk is told as such, and nothing half-made stays")
  func fullDisk() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open(checkpoint: { step in
      if step == "before create Volume file" { throw SystemError("write", "disk", errno: 28) }
    })
    let error = await #expect(throws: EngineError.self) {
      try await engine.perform(.create(volume("data")))
    }
    #expect(error?.code == "no-space")
    #expect(try await engine.resource(.volume, "data") == nil)
    #expect(try await engine.audit() == [])
  }
}

/// Runs SQL with the stock shell: a second pair of eyes on the file.
///
/// An engine that was let go of may hold the file for a moment more, which a change of the journal
/// does not wait for.
func sqlite(_ path: String, _ statement: String) throws {
  let host = HostContext.live()
  let request = SpawnRequest("/usr/bin/sqlite3", ["-cmd", ".timeout 20000", path, statement])
  var result = try request.run(milliseconds: 20_000, host: host)
  for _ in 0..<100 where result.end == .exited(5) {
    usleep(100_000)
    result = try request.run(milliseconds: 20_000, host: host)
  }
  #expect(
    result.end == .exited(0), "sqlite3: \(String(decoding: result.errorOutput, as: UTF8.self))")
}
