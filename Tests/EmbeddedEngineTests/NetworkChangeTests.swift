import EmbeddedEngine
import EngineInterface
import Glibc
import JSON
import Monitor
import QEMU
import Resources
import SystemIO
import Testing

/// A network of mode `user` is a part of each machine on it, which learns of a change at its start.
@Suite("Networks that are defined anew")
struct NetworkChangeTests {
  private static func lab(_ subnet: String?, range: [String] = [], domain: String? = nil)
    -> Resource
  {
    var lab = network("lab")
    if let subnet { lab.spec["subnet"] = .string(subnet) }
    if !range.isEmpty { lab.spec["dhcp"] = ["range": .array(range.map(JSONValue.string))] }
    if let domain { lab.spec["dns"] = ["domain": .string(domain)] }
    return lab
  }

  private static func guest(_ networks: String..., link: String = "up") -> Resource {
    machine(
      "vm", disks: [disk("root", image: "base")],
      interfaces: networks.map { name in
        var card = interface("to-\(name)", network: name)
        card["link"] = .string(link)
        return card
      }, strategy: "Always")
  }

  private func running(_ fixture: EngineFixture) async throws -> EmbeddedEngine {
    let engine = try fixture.open()
    try await engine.perform(.create(image("base")))
    try await engine.perform(.create(Self.lab("10.9.0.0/24")))
    try await engine.perform(.create(Self.guest("lab")))
    return engine
  }

  private func waiting(_ engine: EmbeddedEngine) async throws -> [String]? {
    try await engine.resource(.virtualMachine, "vm")?.machine?.restartRequired
  }

  /// What the next start is told of its first network.
  private func nextStart(_ engine: EmbeddedEngine) async throws -> String {
    let directory = MachineDirectory(try await engine.machineDirectory("vm"))
    let card = try #require(try MonitorConfiguration.read(directory).machine.interfaces.first)
    guard case .user(let subnet, let address, let domain, _) = card.backend else { return "no" }
    return [subnet, address, domain].map { $0 ?? "-" }.joined(separator: " ")
  }

  @Test("The next start is told of it, and the running guest shows that it waits")
  func waits() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try await running(fixture)
    let outcome = try await engine.perform(
      .update(
        Self.lab("10.8.0.0/24", range: ["10.8.0.50", "10.8.0.60"], domain: "a.test"), restart: false
      ))
    #expect(outcome == ActOutcome(effect: .nextBoot, staged: ["subnet", "dhcp", "dns"]))
    #expect(try await waiting(engine) == ["interfaces[to-lab].network"])
    #expect(try await nextStart(engine) == "10.8.0.0/24 10.8.0.50 a.test")
    // A change of the machine itself leaves it waiting.
    try await engine.perform(.update(Self.guest("lab", link: "down"), restart: false))
    #expect(try await waiting(engine) == ["interfaces[to-lab].network"])
    // As it was, there is nothing to wait for.
    try await engine.perform(.update(Self.lab("10.9.0.0/24"), restart: false))
    #expect(try await waiting(engine) == [])
    #expect(try await nextStart(engine) == "10.9.0.0/24 - -")

    try await engine.perform(.update(Self.lab("10.7.0.0/28"), restart: false))
    #expect(try await waiting(engine) == ["interfaces[to-lab].network"])
    let restarted = try await engine.perform(
      .update(Self.guest("lab", link: "down"), restart: true))
    #expect(restarted.effect == .restart)
    #expect(try await waiting(engine) == [])
    // Not QEMU's choice, which would be the address for broadcasts.
    #expect(try await nextStart(engine) == "10.7.0.0/28 10.7.0.4 -")
  }

  @Test("What is plugged in later has the network as it is then; what protects it is no change")
  func plugged() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try await running(fixture)
    try await engine.perform(.create(network("other")))
    var lab = Self.lab("10.8.0.0/24")
    try await engine.perform(.update(lab, restart: false))
    try await engine.perform(.update(Self.guest("lab", "other"), restart: false))
    #expect(try await waiting(engine) == ["interfaces[to-lab].network"])
    lab.spec["lifecycle"] = ["deletionProtection": true]
    #expect(try await engine.perform(.update(lab, restart: false)) == ActOutcome())
    #expect(try await waiting(engine) == ["interfaces[to-lab].network"])
    try await engine.control("vm", .stop(grace: 0))
    try await engine.control("vm", .start)
    #expect(try await waiting(engine) == [])
  }

  @Test("A guest that its monitor started again has it")
  func startedAgain() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try await running(fixture)
    try await engine.perform(.update(Self.lab("10.8.0.0/24"), restart: false))
    let before = try #require(try await engine.resource(.virtualMachine, "vm")?.machine?.processID)
    kill(before, SIGKILL)
    for _ in 0..<600 {
      if let process = try await engine.resource(.virtualMachine, "vm")?.machine?.processID,
        process != before
      {
        break
      }
      try await Task.sleep(for: .milliseconds(20))
    }
    #expect(try await waiting(engine) == [])
    try await engine.perform(.update(Self.lab("10.9.0.0/24"), restart: false))
    #expect(try await waiting(engine) == ["interfaces[to-lab].network"])
  }
}
