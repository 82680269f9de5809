import EmbeddedEngine
import EngineInterface
import Foundation
import JSON
import Resources
import Synchronization
import SystemIO
import Testing

@Suite("Secrets of machines")
struct SecretTests {
  private let value = "hunter2-\u{e9}-\"quoted\""

  private func withSecret(
    _ name: String, userData: JSONValue, strategy: String = "Manual"
  ) -> Resource {
    var resource = machine(name, strategy: strategy)
    resource.spec["cloudInit"] = [
      "secrets": [["name": "db", "env": "DB"]], "userData": userData,
    ]
    return resource
  }

  private func seed(_ engine: EmbeddedEngine, _ name: String) async throws -> String {
    let path = try await engine.machineDirectory(name) + "/seed.iso"
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    #expect(mode == 0o600)
    return String(decoding: try readFile(path, limit: 1 << 20), as: UTF8.self)
  }

  @Test("The seed holds the value, the state holds its digest alone")
  func seedAlone() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    fixture.secrets.values.withLock { $0["db"] = value }
    let text = "#!/bin/sh\necho '${secret.db}' $${secret.db} ${HOME} ${secret.other}"
    try await engine.perform(.create(withSecret("vm", userData: .string(text))))
    #expect(
      try await seed(engine, "vm").contains(
        "echo '\(value)' ${secret.db} ${HOME} ${secret.other}"))
    let stored = try #require(try await engine.resource(.virtualMachine, "vm"))
    #expect(stored.inputs?.count == 64)
    let digest = try await engine.secretsDigest(of: stored.resource)
    #expect(digest == stored.inputs)
    // Another machine's digest of the same value tells nothing of that.
    try await engine.perform(.create(withSecret("other", userData: .string(text))))
    #expect(try await engine.resource(.virtualMachine, "other")?.inputs != stored.inputs)
  }

  @Test("The salt is the engine's own, and stays")
  func salt() async throws {
    let (first, second) = (try EngineFixture(), try EngineFixture())
    defer {
      first.cleanUp()
      second.cleanUp()
    }
    for fixture in [first, second] { fixture.secrets.values.withLock { $0["db"] = value } }
    let resource = withSecret("vm", userData: "x")
    let digest = try await first.open().secretsDigest(of: resource)
    #expect(try await first.open().secretsDigest(of: resource) == digest)
    #expect(try await second.open().secretsDigest(of: resource) != digest)
    #expect(try await first.open().secretsDigest(of: machine("plain")) == nil)
  }

  @Test("Another value waits for the next boot of a running guest, and shows until then")
  func staged() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    fixture.secrets.values.withLock { $0["db"] = "first" }
    let resource = withSecret("vm", userData: ["password": "${secret.db}"])
    try await engine.perform(.create(resource))
    try await engine.control("vm", .start)
    #expect(try await engine.resource(.virtualMachine, "vm")?.machine?.restartRequired == [])
    fixture.secrets.values.withLock { $0["db"] = "second" }
    let outcome = try await engine.perform(.update(resource, restart: false))
    #expect(outcome.effect == .nextBoot && outcome.staged == ["cloudInit"])
    let waiting = try await engine.resource(.virtualMachine, "vm")
    #expect(waiting?.machine?.restartRequired == ["cloudInit"])
    #expect(try await seed(engine, "vm").contains("\"password\": \"second\""))
    let now = try await engine.perform(.update(resource, restart: true))
    #expect(now.effect == .restart, "what waited takes effect where a restart is allowed")
    #expect(try await engine.resource(.virtualMachine, "vm")?.machine?.restartRequired == [])
  }

  @Test("A secret that can't be had is named, and nothing is changed")
  func missing() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    let error = await #expect(throws: EngineError.self) {
      try await engine.perform(.create(withSecret("vm", userData: "x")))
    }
    #expect(error?.code == "secret-unavailable" && error?.message.contains("'db'") == true)
    #expect(try await engine.resource(.virtualMachine, "vm") == nil)
  }
}
