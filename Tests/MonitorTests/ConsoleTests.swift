import Glibc
import JSON
import Monitor
import QEMU
import Supervision
import SystemIO
import Testing

@Suite("The serial console", .serialized)
struct ConsoleTests {
  @Test("Several attach, see the past, and type to the guest")
  func attach() throws {
    let machine = try Machine(BootSector.say("login: ") + BootSector.echo)
    try machine.launch()
    try machine.eventually("the guest") { try machine.consoleText() == "login: " }
    let (one, past) = try machine.client().console()
    #expect(try Wire.read(one, past, until: "login: ") == "login: ")
    let (two, second) = try machine.client().console()
    #expect(try Wire.read(two, second, until: "login: ") == "login: ")
    _ = try StreamSocket.send(Array("abc".utf8)[...], on: one)
    #expect(try Wire.read(one, [], until: "abc") == "abc")
    #expect(try Wire.read(two, [], until: "abc") == "abc")
    // QEMU writes to its client before the log.
    try machine.eventually("the log") { try machine.consoleText() == "login: abc" }
    _ = try machine.client().kill()
    // Attached clients see the end.
    #expect(throws: MonitorError.self) { try Wire.read(one, [], until: "never") }
    try machine.monitorEnds()
  }

  @Test("A guest that writes without end fills two files of the limit and no more")
  func bounded() throws {
    let machine = try Machine(BootSector.flood)
    machine.configuration.consoleLimit = 8192
    try machine.launch()
    // Someone who never reads must hold up nobody.
    let idle = try machine.client().console()
    try machine.eventually("a second file") { fileExists(machine.directory.olderConsoleLog) }
    for _ in 0..<20 {
      // What the socket holds may be in the log before the monitor looks at it.
      for path in [machine.directory.consoleLog, machine.directory.olderConsoleLog] {
        #expect(try size(path) <= 2 * 8192)
      }
      #expect(try machine.client().status().state == .running)
    }
    withExtendedLifetime(idle) {}
    // Without a monitor nobody bounds it, until the next one does.
    try machine.monitor().signal(SIGKILL)
    try machine.monitorEnds()
    try machine.eventually("more than both") { try size(machine.directory.consoleLog) > 10 * 8192 }
    try machine.launch(.adopt)
    try machine.eventually("the bound") { try size(machine.directory.consoleLog) <= 2 * 8192 }
    #expect(try size(machine.directory.olderConsoleLog) <= 2 * 8192)
    _ = try machine.client().kill()
    try machine.monitorEnds()
  }

  @Test("A log that grew while no monitor ran is bounded at adoption, the guest silent or not")
  func boundedAtAdoption() throws {
    let machine = try Machine(BootSector.halt)
    machine.configuration.consoleLimit = 8192
    try machine.launch()
    try machine.monitor().signal(SIGKILL)
    try machine.monitorEnds()
    let file = try Descriptor.open(machine.directory.consoleLog, [.write, .append])
    try file.write([UInt8](repeating: 0x78, count: 100_000))
    try machine.launch(.adopt)
    try machine.eventually("the bound") { try size(machine.directory.consoleLog) == 0 }
    #expect(try size(machine.directory.olderConsoleLog) == 8192)
    _ = try machine.client().kill()
    try machine.monitorEnds()
  }

  private func size(_ path: String) throws -> Int { try Descriptor.open(path, .read).size() }

  @Test("A text on the console makes the guest ready, and a reset makes it not")
  func probe() throws {
    let machine = try Machine(BootSector.say("system is up") + BootSector.echo)
    machine.configuration.readiness = Probe(.console(text: "is up"), period: 20)
    try machine.launch()
    let client = try machine.client()
    try machine.eventually("ready") { try client.status().isReady }
    try client.reboot(force: true)
    try machine.eventually("ready again") { try machine.count("ready") == 2 }
    #expect(try machine.count("unready") == 1)
    machine.configuration.readiness = Probe(.console(text: "never"), period: 20)
    try client.setPolicy(machine.configuration)
    try machine.eventually("not ready") {
      try client.status().readyProblem == "the console has not shown 'never' yet"
    }
    #expect(try !client.status().isReady)
    #expect(try MonitorConfiguration.read(machine.directory) == machine.configuration)
    _ = try client.kill()
    try machine.monitorEnds()
  }

  @Test("A host port that leads to a guest where nobody listens is not ready")
  func tcpProbe() throws {
    let machine = try Machine(BootSector.halt)
    let port = UInt16(20_000 + Int(getpid()) % 20_000)
    machine.configuration.machine.interfaces = [
      MachineSpec.Interface(
        id: "lan", mac: "52:54:00:12:34:56",
        backend: .user(forwards: [MachineSpec.HostForward(hostPort: port, guestPort: 80)]))
    ]
    machine.configuration.readiness = Probe(
      .tcp(address: "127.0.0.1", port: port, through: .userNetwork), period: 20, timeout: 500)
    try machine.launch()
    let client = try machine.client()
    // QEMU itself accepts at once, which must not count.
    try machine.eventually("an answer") {
      try client.status().readyProblem.contains("did not answer within 500 ms")
    }
    #expect(try machine.count("ready") == 0)
    try client.removeForward(
      MachineSpec.HostForward(hostPort: port, guestPort: 80), interface: "lan")
    try machine.eventually("a refusal") {
      try client.status().readyProblem.contains("Connection refused")
    }
    _ = try client.kill()
    try machine.monitorEnds()
  }

  @Test("Without an agent its probe says so, and commands fail at once")
  func noAgent() throws {
    let machine = try Machine(BootSector.halt)
    machine.configuration.readiness = Probe(.guestAgent, period: 20)
    try machine.launch()
    let client = try machine.client()
    try machine.eventually("an answer") {
      try client.status().readyProblem == "the guest agent is not connected"
    }
    #expect(throws: RPCError.self) { try client.run(["/bin/true"]) }
    _ = try client.kill()
    try machine.monitorEnds()
  }
}
