import EmbeddedEngine
import EngineInterface
import JSON
import Monitor
import QEMU
import Resources
import SystemIO
import Testing

/// Real QEMU with a boot sector as guest, which takes what is plugged in and lets go of nothing.
@Suite("Changes of a running machine")
struct LiveHardwareTests {
  private static func spec(
    count: Int64 = 1, memory: Int64 = 64 << 20, disks: [JSONValue] = [disk("root", image: "base")],
    interfaces: [JSONValue] = [interface("lan")]
  ) -> Resource {
    var resource = machine("vm", disks: disks, interfaces: interfaces, strategy: "Always")
    resource.spec["cpu"]?["count"] = .integer(count)
    resource.spec["cpu"]?["max"] = 3
    resource.spec["memory"] = [
      "guest": .integer(memory), "max": .integer(256 << 20), "reservation": 0,
    ]
    return resource
  }

  private func running(_ fixture: EngineFixture) async throws -> EmbeddedEngine {
    let engine = try fixture.open()
    try await engine.perform(.create(image("base")))
    try await engine.perform(.create(volume("data")))
    try await engine.perform(.create(Self.spec()))
    return engine
  }

  /// The disks and network cards that QEMU has.
  private func plugged(_ engine: EmbeddedEngine) async throws -> Set<String> {
    let directory = MachineDirectory(try await engine.machineDirectory("vm"))
    let hardware = try MonitorClient(directory, host: .live()).hardware()
    return hardware.devices.filter { $0.hasPrefix("disk-") || $0.hasPrefix("net-") }
  }

  @Test("Processors, disks, cards, limits and links change while the guest runs on")
  func plugging() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try await running(fixture)
    let before = try #require(try await engine.resource(.virtualMachine, "vm")?.machine)
    #expect(before.live?.maximumProcessors == 3)
    #expect(before.live?.baseMemory == 64 << 20)
    #expect(before.live?.maximumMemory == 320 << 20)
    #expect(before.live?.freePorts == 4)

    var data = disk("data", volume: "data")
    data["limits"] = ["iops": 100]
    var second = interface("second", ports: [port(22)])
    second["link"] = "down"
    let wanted = Self.spec(
      count: 2, disks: [disk("root", image: "base"), data, disk("scratch", size: 1 << 20)],
      interfaces: [interface("lan"), second])
    let outcome = try await engine.perform(.update(wanted, restart: false))
    #expect(outcome == ActOutcome(effect: .live))
    let after = try #require(try await engine.resource(.virtualMachine, "vm"))
    #expect(after.machine?.processID == before.processID)
    #expect(after.machine?.restartRequired == [])
    #expect(after.machine?.live?.processors == 2)
    #expect(after.machine?.live?.freePorts == 1)
    #expect(after.drift == [])
    #expect(
      try await plugged(engine) == [
        "disk-root-device", "disk-data-device", "disk-scratch-device", "net-lan-device",
        "net-second-device",
      ])
    // Again, as after a death: nothing is done twice.
    try await engine.perform(.update(wanted, restart: false))
    #expect(try await engine.resource(.virtualMachine, "vm")?.drift == [])

    // The next boot is made of the same.
    try await engine.control("vm", .stop(grace: 0))
    try await engine.control("vm", .start)
    let restarted = try #require(try await engine.resource(.virtualMachine, "vm"))
    #expect(restarted.drift == [])
    #expect(restarted.machine?.restartRequired == [])
    #expect(restarted.machine?.live?.processors == 2)
    #expect(try await engine.audit() == [])
  }

  @Test("A guest that does not let go of a device keeps it until its next boot, and is said to")
  func unplugging() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try await running(fixture)
    let outcome = try await engine.perform(.update(Self.spec(interfaces: []), restart: false))
    #expect(outcome.effect == .nextBoot)
    #expect(outcome.staged == ["interfaces[lan]"])
    #expect(outcome.notes == ["interfaces[lan]: the guest has not let go of it"])
    let machine = try #require(try await engine.resource(.virtualMachine, "vm"))
    #expect(machine.machine?.restartRequired == ["interfaces[lan]"])
    #expect(machine.drift == [])
    try await engine.control("vm", .reboot(force: true))
    #expect(try await plugged(engine) == ["disk-root-device"])
    #expect(try await engine.resource(.virtualMachine, "vm")?.machine?.restartRequired == [])
  }

  @Test("What a guest can't have at once waits, and what it can is not held up")
  func staging() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try await running(fixture)
    let outcome = try await engine.perform(
      .update(
        Self.spec(count: 2, memory: 512 << 20, disks: [disk("root", image: "base")]), restart: false
      ))
    #expect(outcome.effect == .nextBoot)
    #expect(outcome.staged == ["memory.guest"])
    var machine = try #require(try await engine.resource(.virtualMachine, "vm")?.machine)
    #expect(machine.live?.processors == 2)
    #expect(machine.restartRequired == ["memory.guest"])
    // Taken back, nothing waits but the processor that is not taken away.
    let back = try await engine.perform(.update(Self.spec(), restart: false))
    #expect(back.staged == ["cpu.count"])
    machine = try #require(try await engine.resource(.virtualMachine, "vm")?.machine)
    #expect(machine.restartRequired == ["cpu.count"])
    let restarted = try await engine.perform(.update(Self.spec(), restart: true))
    #expect(restarted.effect == .restart)
    machine = try #require(try await engine.resource(.virtualMachine, "vm")?.machine)
    #expect(machine.live?.processors == 1)
    #expect(machine.restartRequired == [])
  }

  @Test("What is done to the hardware by another way shows as drift, and the next apply mends it")
  func drift() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try await running(fixture)
    let directory = MachineDirectory(try await engine.machineDirectory("vm"))
    let client = try MonitorClient(directory, host: .live())
    let extra = HardwareChange.addProcessor(try client.hardware().processors[1])
    for command in extra.commands(try client.hardware(), port: "") { try client.execute(command) }
    try client.execute(
      QMPCommand(
        "block_set_io_throttle",
        [
          "id": "/machine/peripheral/disk-root-device/virtio-backend", "bps": 1_048_576,
          "bps_rd": 0, "bps_wr": 0, "iops": 0, "iops_rd": 0, "iops_wr": 0,
        ]))
    let drift = try #require(try await engine.resource(.virtualMachine, "vm")).drift
    #expect(
      drift == [
        Drift(path: "cpu.count", applied: 1, actual: 2, effect: .nextBoot),
        Drift(
          path: "disks[root].limits.bandwidth", applied: nil, actual: 1_048_576, effect: .live),
      ])
    try await engine.perform(.update(Self.spec(), restart: false))
    #expect(
      try await engine.resource(.virtualMachine, "vm")?.drift.map(\.path) == ["cpu.count"])
  }
}
