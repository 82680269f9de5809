import EmbeddedEngine
import EngineInterface
import Foundation
import JSON
import Monitor
import Resources
import Synchronization
import SystemIO
import Testing

/// Real monitors and QEMU; the guest is a boot sector that says hello on its serial port.
@Suite("Machines")
struct MachineTests {
  private let hello: JSONValue = [
    "console": ["pattern": "hello from the guest"], "timeout": 60, "period": 1,
  ]

  @Test("A machine starts when it is made, is ready, and leaves nothing when it is deleted")
  func life() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    try await engine.perform(.create(image("base")))
    let resource = machine(
      "vm", disks: [disk("root", image: "base")],
      interfaces: [interface("lan", ports: [port(22)])], strategy: "Always", probe: hello)
    let outcome = try await engine.perform(.create(resource))
    #expect(outcome.notes == [])
    let running = try await engine.wait("vm") { $0.isReady }
    #expect(running.machine?.state == .running)
    #expect(["kvm", "tcg"].contains(running.machine?.accelerator))
    #expect(running.machine?.restartRequired == [])
    let forward = try #require(try await engine.forwardedPort("vm", guestPort: 22))
    #expect(forward.address == "127.0.0.1")
    #expect(running.details["ports"]?["lan/tcp/22"] == .string("tcp:127.0.0.1:\(forward.port)"))
    #expect(running.details["macs"]?["lan"]?.string?.hasPrefix("52:54:00:") == true)
    let log = try readFile(try await engine.machineDirectory("vm") + "/console.log")
    #expect(String(decoding: log, as: UTF8.self).contains("hello from the guest"))
    #expect(try await engine.audit() == [])

    let pid = try #require(running.machine?.processID)
    try await engine.perform(.delete(ResourceID(.virtualMachine, "vm")))
    #expect(!fileExists("/proc/\(pid)"))
    #expect(try namesInDirectory(fixture.home + "/machines") == [])
    try await engine.perform(.delete(ResourceID(.image, "base")))
    #expect(try await engine.audit() == [])
    let reasons = try await engine.events(after: 0, limit: 100).map(\.reason)
    #expect(reasons.contains("Started") && reasons.contains("Exited"))
  }

  @Test("Start, pause, resume, reset and stop do as they say, and doing them again does no harm")
  func verbs() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    try await engine.perform(.create(machine("vm")))
    #expect(try await engine.resource(.virtualMachine, "vm")?.machine?.state == .halted)
    for _ in 0..<2 { try await engine.control("vm", .start) }
    #expect(try await engine.resource(.virtualMachine, "vm")?.machine?.state == .running)
    try await engine.control("vm", .pause)
    #expect(try await engine.resource(.virtualMachine, "vm")?.machine?.state == .paused)
    try await engine.control("vm", .resume)
    #expect(try await engine.resource(.virtualMachine, "vm")?.machine?.state == .running)
    try await engine.control("vm", .reboot(force: true))
    for _ in 0..<2 { try await engine.control("vm", .stop(grace: 0)) }
    let down = try await engine.resource(.virtualMachine, "vm")
    #expect(down?.machine?.state == .halted)
    #expect(down?.machine?.processID == nil)
    let error = await #expect(throws: EngineError.self) { try await engine.control("vm", .pause) }
    #expect(error?.code == "not-running")
    #expect(try await engine.audit() == [])
  }

  @Test("A guest whose monitor and engine were killed is taken up again; a killed one is crashed")
  func adoption() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let pid: Int32
    do {
      let engine = try fixture.open()
      try await engine.perform(.create(machine("vm")))
      try await engine.control("vm", .start)
      let running = try await engine.resource(.virtualMachine, "vm")
      pid = try #require(running?.machine?.processID)
      try kill(monitorOf: try await engine.machineDirectory("vm"))
    }
    let engine = try fixture.open()
    let adopted = try await engine.resource(.virtualMachine, "vm")
    #expect(adopted?.machine?.state == .running)
    #expect(adopted?.machine?.processID == pid)
    #expect(try await engine.audit() == [])

    try signal(pid, 9)
    let crashed = try await engine.wait("vm") { $0.state != .running && $0.state != .starting }
    #expect(crashed.machine?.state == .crashed)
    #expect(try await engine.audit() == [])

    // And once more, with nobody there to see it.
    try await engine.control("vm", .start)
    let again = try await engine.resource(.virtualMachine, "vm")?.machine?.processID
    try kill(monitorOf: try await engine.machineDirectory("vm"))
    try signal(try #require(again), 9)
    let lost = try await engine.wait("vm") { $0.state != .running && $0.state != .unresponsive }
    #expect(lost.machine?.state == .crashed)
    #expect(lost.machine?.reason?.contains("unknown") == true)
    #expect(try await engine.audit() == [])
  }

  @Test("A monitor that ends while it is asked is waited for, then the machine starts")
  func endingMonitor() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    try await engine.perform(.create(machine("vm")))
    let directory = MachineDirectory(try await engine.machineDirectory("vm"))
    let listener = try StreamSocket.listen(directory.monitorSocket)
    let lock = Mutex<FileLock?>(try FileLock(directory.lock))
    let monitor = Thread {
      var entries = [PollEntry(listener.raw, wantsRead: true)]
      // A failed wait shows as a start that fails.
      try? poll(&entries, milliseconds: 60_000)
      // Closed without an answer, by the end of its life.
      _ = try? StreamSocket.accept(listener)
      usleep(100_000)
      try? removeFile(directory.monitorSocket)
      lock.withLock { $0 = nil }
    }
    monitor.start()
    try await engine.control("vm", .start)
    #expect(try await engine.resource(.virtualMachine, "vm")?.machine?.state == .running)
    #expect(lock.withLock { $0 == nil })
    #expect(try await engine.audit() == [])
  }

  @Test("A guest that ends between a plan and its apply does not make the plan stale")
  func endAfterPlan() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    try await engine.perform(.create(machine("vm")))
    try await engine.control("vm", .start)
    let planned = try await engine.observe().generation
    let pid = try await engine.resource(.virtualMachine, "vm")?.machine?.processID
    try signal(try #require(pid), 9)
    _ = try await engine.wait("vm") { $0.state == .crashed }
    #expect(try await engine.observe().generation == planned)
    // What the user asks for does.
    try await engine.control("vm", .start)
    #expect(try await engine.observe().generation > planned)
  }

  @Test("A change that waits for the next boot shows until the guest is started again")
  func staged() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    try await engine.perform(.create(machine("vm")))
    try await engine.control("vm", .start)
    let larger = machine("vm", memory: 48 << 20)
    let outcome = try await engine.perform(.update(larger, restart: false))
    #expect(outcome.effect == .nextBoot)
    #expect(outcome.staged == ["memory.guest"])
    let waiting = try await engine.resource(.virtualMachine, "vm")
    #expect(waiting?.machine?.restartRequired == ["memory.guest"])
    #expect(waiting?.phase == .ready)
    let pid = waiting?.machine?.processID

    let now = try await engine.perform(
      .update(machine("vm", memory: 64 << 20), restart: true))
    #expect(now.effect == .restart)
    let after = try await engine.resource(.virtualMachine, "vm")
    #expect(after?.machine?.state == .running)
    #expect(after?.machine?.restartRequired == [])
    #expect(after?.machine?.processID != pid)
    let line = try readFile("/proc/\(try #require(after?.machine?.processID))/cmdline")
    #expect(String(decoding: line, as: UTF8.self).contains("size=\(64 << 20)"))
  }

  @Test("Disks and forwards change under a running guest")
  func live() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    try await engine.perform(.create(volume("data")))
    func resource(_ size: Int64, _ ports: [JSONValue]) -> Resource {
      machine(
        "vm", disks: [disk("data", volume: "data"), disk("own", size: size)],
        interfaces: [interface("lan", ports: ports)])
    }
    try await engine.perform(.create(resource(1 << 20, [port(22)])))
    try await engine.control("vm", .start)
    let ssh = try await engine.forwardedPort("vm", guestPort: 22)?.port
    let outcome = try await engine.perform(
      .update(resource(2 << 20, [port(22), port(80)]), restart: false))
    #expect(outcome.effect == .live)
    #expect(outcome.staged == [])
    let http = try #require(try await engine.forwardedPort("vm", guestPort: 80)?.port)
    #expect(try await engine.forwardedPort("vm", guestPort: 22)?.port == ssh)
    let number = try #require(UInt16(exactly: http))
    #expect(accepts(number))
    #expect(try await engine.observe().host.portsInUse.contains("tcp:127.0.0.1:\(number)"))
    try await engine.perform(.update(volume("data", size: 4 << 20), restart: false))
    let path = try #require(try await engine.resource(.volume, "data")?.details["path"]?.string)
    #expect(try imageInfo(path, "qcow2")["virtual-size"] == .integer(4 << 20))
    #expect(try await engine.audit() == [])

    let fewer = try await engine.perform(.update(resource(2 << 20, [port(22)]), restart: false))
    #expect(fewer.effect == .live)
    #expect(!accepts(number))
    #expect(try await !engine.observe().host.portsInUse.contains("tcp:127.0.0.1:\(number)"))
  }

  @Test("Replacing a machine makes its disks anew and keeps MAC, ports and identity")
  func replace() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    try await engine.perform(.create(image("base")))
    try await engine.perform(.create(image("other", tree: "/elsewhere")))
    func resource(_ image: String) -> Resource {
      machine(
        "vm", disks: [disk("root", image: image)],
        interfaces: [interface("lan", ports: [port(22)])],
        strategy: "Always", probe: hello)
    }
    try await engine.perform(.create(resource("base")))
    let before = try await engine.wait("vm") { $0.isReady }
    try await engine.perform(.replace(resource("other")))
    let after = try await engine.wait("vm") { $0.isReady }
    #expect(after.uid == before.uid)
    #expect(after.details["macs"] == before.details["macs"])
    #expect(after.details["ports"] == before.details["ports"])
    #expect(after.details["disks"] != before.details["disks"])
    #expect(try await engine.audit() == [])
  }

  @Test("MACs and host ports are given out once")
  func allocations() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    let mac = "52:54:00:00:00:01"
    try await engine.perform(.create(machine("a", interfaces: [interface("lan", mac: mac)])))
    let sameMAC = await #expect(throws: EngineError.self) {
      try await engine.perform(.create(machine("b", interfaces: [interface("lan", mac: mac)])))
    }
    #expect(sameMAC?.code == "in-use")
    #expect(sameMAC?.message.contains("VirtualMachine/a") == true)
    try await engine.perform(
      .create(machine("c", interfaces: [interface("lan", ports: [port(22)])])))
    let taken = try #require(try await engine.forwardedPort("c", guestPort: 22)?.port)
    let samePort = await #expect(throws: EngineError.self) {
      try await engine.perform(
        .create(machine("d", interfaces: [interface("lan", ports: [port(80, host: Int64(taken))])]))
      )
    }
    #expect(samePort?.message.contains("VirtualMachine/c") == true)
    #expect(try await engine.resource(.virtualMachine, "b") == nil)
    #expect(try await engine.resource(.virtualMachine, "d") == nil)

    // Many at once: all different.
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<12 {
        group.addTask {
          try await engine.perform(
            .create(machine("m\(number)", interfaces: [interface("lan", ports: [port(22)])])))
        }
      }
      try await group.waitForAll()
    }
    let machines = try await engine.observe().resources.filter { $0.machine != nil }
    let macs = machines.compactMap { $0.details["macs"]?["lan"]?.string }
    #expect(macs.count == machines.count)
    #expect(Set(macs).count == macs.count)
    let ports = machines.compactMap { $0.details["ports"]?["lan/tcp/22"]?.string }
    #expect(Set(ports).count == 13)
    #expect(try await engine.audit() == [])
  }

  @Test("A machine that can't start is made, told of, and started by the next act that asks")
  func cannotStart() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    // More memory than any host has.
    let huge = machine("vm", strategy: "Always", memory: 1 << 50)
    let outcome = try await engine.perform(.create(huge))
    #expect(outcome.notes.count == 1)
    let made = try await engine.resource(.virtualMachine, "vm")
    #expect(made?.phase == .ready)
    #expect(made?.machine?.state == .crashed)
    #expect(made?.machine?.reason != nil)
    try await engine.perform(.update(machine("vm", strategy: "Always"), restart: false))
    try await engine.perform(.start(ResourceID(.virtualMachine, "vm")))
    #expect(try await engine.resource(.virtualMachine, "vm")?.machine?.state == .running)
    #expect(try await engine.audit() == [])
  }

  @Test("The seed disc tells cloud-init who the guest is")
  func seed() async throws {
    let fixture = try EngineFixture()
    defer { fixture.cleanUp() }
    let engine = try fixture.open()
    var resource = machine("web1")
    resource.spec["cloudInit"] = ["userData": ["hostname": "web1", "users": ["default"]]]
    try await engine.perform(.create(resource))
    let made = try #require(try await engine.resource(.virtualMachine, "web1"))
    let seed = fixture.home + "/machines/\(made.uid)/seed.iso"
    let userData = try run("/usr/bin/isoinfo", ["-R", "-i", seed, "-x", "/user-data"])
    #expect(userData.hasPrefix("#cloud-config\n"))
    let value = try JSONValue(parsing: userData.drop { $0 != "\n" }.utf8)
    #expect(value == ["hostname": "web1", "users": ["default"]])
    let metaData = try JSONValue(
      parsing: run("/usr/bin/isoinfo", ["-R", "-i", seed, "-x", "/meta-data"]))
    #expect(metaData == ["instance-id": .string(made.uid), "local-hostname": "web1"])
    try await engine.perform(.replace(resource))
    let again = try JSONValue(
      parsing: run("/usr/bin/isoinfo", ["-R", "-i", seed, "-x", "/meta-data"]))
    #expect(again["instance-id"] == .string(made.uid + "-2"))
  }
}

extension EmbeddedEngine {
  /// Looks until the machine is as it should be; the last look where it never gets there.
  func wait(
    _ name: String, _ isReached: (MachineStatus) -> Bool
  ) async throws -> ObservedResource {
    for _ in 0..<600 {
      let found = try #require(try await resource(.virtualMachine, name))
      if let status = found.machine, isReached(status) { return found }
      try await Task.sleep(for: .milliseconds(100))
    }
    Issue.record("\(name) did not get there within a minute")
    return try #require(try await resource(.virtualMachine, name))
  }
}

/// Kills the monitor of a machine, by the directory that its command line names.
func kill(monitorOf directory: String) throws {
  for name in try namesInDirectory("/proc") {
    guard let pid = Int32(name), let line = try? readFile("/proc/\(pid)/cmdline") else { continue }
    let words = String(decoding: line, as: UTF8.self).split(separator: "\0")
    guard words.first?.hasSuffix("ingot-monitor") == true, words.contains(Substring(directory))
    else { continue }
    try signal(pid, 9)
    while fileExists("/proc/\(pid)") { usleep(1000) }
    return
  }
  Issue.record("no monitor serves \(directory)")
}

func signal(_ pid: Int32, _ number: Int32) throws {
  let identity = try ProcessIdentity(running: pid, bootID: "")
  try identity.open(currentBootID: "")?.signal(number)
}

/// Whether something listens on a port of this host.
func accepts(_ port: UInt16) -> Bool {
  guard let socket = try? StreamSocket.connect(address: "127.0.0.1", port: port) else {
    return false
  }
  var entries = [PollEntry(socket.raw, wantsWrite: true)]
  try? poll(&entries, milliseconds: 5000)
  return entries[0].canWrite && StreamSocket.pendingError(socket) == nil
}
