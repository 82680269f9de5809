import Glibc
import JSON
import Monitor
import QEMU
import Supervision
import SystemIO
import Testing

/// Real QEMU, real monitor processes, guests of a few bytes.
@Suite("A guest's life", .serialized)
struct LifeTests {
  @Test("A guest runs when the launch returns, and is down and recorded when stop returns")
  func startAndStop() throws {
    let machine = try Machine(
      BootSector.say("up") + BootSector.awaitPowerButton + BootSector.powerOff)
    try machine.launch()
    let client = try machine.client()
    #expect(try client.status().state == .running)
    #expect(try client.status().isReady)
    #expect(try client.status().started?.generation == "1")
    let process = try machine.guest()
    // Not waited for: the power button is pressed again until the guest knows it.
    let record = try #require(try client.stop())
    #expect(try process.hasEnded())
    #expect(record.cause == .guestShutdown)
    #expect(record.request == "stop")
    #expect(!record.isFailure)
    try machine.monitorEnds()
    #expect(try machine.ended() == record)
    #expect(!fileExists(machine.directory.started))
    #expect(!fileExists(machine.directory.qmpSocket))
    #expect(!fileExists(machine.directory.monitorSocket))
  }

  @Test("A guest that ignores the power button is killed at the end of its grace")
  func stopByForce() throws {
    let machine = try Machine(BootSector.halt)
    try machine.launch()
    let record = try #require(try machine.client().stop(grace: 200))
    #expect(record.cause == .killed)
    #expect(record.signal == SIGKILL)
    #expect(record.request == "stop")
    #expect(!record.isFailure)
    try machine.monitorEnds()
  }

  @Test("Kill ends a guest at once, paused or not", arguments: [false, true])
  func kill(paused: Bool) throws {
    let machine = try Machine()
    try machine.launch()
    let client = try machine.client()
    if paused {
      try client.pause()
      #expect(try client.status().state == .paused)
      #expect(try !client.status().isReady)
      try client.resume()
      #expect(try client.status().state == .running)
      try client.pause()
    }
    let record = try #require(try client.kill())
    #expect(record.cause == .killed)
    #expect(record.request == "kill")
    try machine.monitorEnds()
  }

  @Test("A guest that powers itself off stays off unless its strategy is Always")
  func powerOff() throws {
    let machine = try Machine(
      BootSector.say("bye") + BootSector.powerOff, strategy: .rerunOnFailure)
    try machine.launch()
    try machine.monitorEnds()
    let record = try machine.ended()
    #expect(record.cause == .guestShutdown)
    #expect(record.request == nil)
    #expect(record.status == 0)
    #expect(try machine.consoleText() == "bye")
    #expect(try machine.count("running") == 1)
  }

  @Test("With Always a guest that powers off comes back, each time after a longer wait")
  func always() throws {
    let machine = try Machine(BootSector.powerOff, strategy: .always)
    try machine.launch()
    try machine.eventually("three restarts") { try machine.count("running") >= 4 }
    let waits = try machine.restartWaits()
    #expect(waits.prefix(4) == [50, 100, 200, 200][..<min(4, waits.count)])
    // Stopping also ends a wait for a restart.
    let record = try #require(try machine.client().stop(grace: 100))
    #expect(record.cause == .guestShutdown || record.cause == .killed)
    try machine.monitorEnds()
    let runs = try machine.count("running")
    #expect(try machine.journal().last?.kind != "restart")
    #expect(try machine.count("running") == runs)
  }

  @Test("A guest that had come up is started again after the first wait")
  func restartsAfterUp() throws {
    let machine = try Machine(BootSector.say("up") + BootSector.halt, strategy: .always)
    machine.configuration.readiness = Probe(.console(text: "up"))
    machine.configuration.restartDelay.resetAfterUp = 0
    try machine.launch()
    for run in 1...3 {
      try machine.eventually("run \(run) to be up") { try machine.count("ready") == run }
      try machine.guest().signal(SIGKILL)
    }
    try machine.eventually("the last restart") { try machine.count("ready") == 4 }
    // One that is never seen to be up waits longer each time.
    machine.configuration.readiness = Probe(.console(text: "something else"))
    try machine.configuration.write(machine.directory)
    for run in 5...7 {
      try machine.guest().signal(SIGKILL)
      try machine.eventually("run \(run)") { try machine.count("running") == run }
    }
    let waits = try machine.restartWaits()
    #expect(waits == [50, 50, 50, 50, 100, 200])
    _ = try machine.client().kill()
    try machine.monitorEnds()
  }

  @Test("A guest that ends while a command changes it waits for what that has yet to write")
  func endsWhileChanged() throws {
    let machine = try Machine(BootSector.halt, strategy: .always)
    try machine.launch()
    let guest = try machine.guest()
    try machine.client().setPolicy(machine.configuration)
    try guest.signal(SIGKILL)
    try machine.eventually("the restart") { try machine.count("running") == 2 }
    #expect(try #require(try machine.restartWaits().first) > 50)
    _ = try machine.client().kill()
    try machine.monitorEnds()
  }

  @Test("A killed QEMU is a failure with its signal, and RerunOnFailure starts it again")
  func killedQEMU() throws {
    let machine = try Machine(BootSector.halt, strategy: .rerunOnFailure)
    try machine.launch()
    let first = try machine.guest()
    try first.signal(SIGKILL)
    try machine.eventually("a restart") { try machine.count("running") == 2 }
    let exited = try #require(try machine.journal().first { $0.kind == "exited" })
    #expect(exited.data["cause"]?.string == "killed")
    #expect(exited.data["signal"]?.integer == 9)
    #expect(try machine.guest().identity != first.identity)
    #expect(try machine.client().status().restarts == 1)
    _ = try machine.client().kill()
    try machine.monitorEnds()
  }

  @Test("A signal that QEMU ends on in order is told from a power-off")
  func hostSignal() throws {
    let machine = try Machine(BootSector.halt)
    try machine.launch()
    try machine.guest().signal(SIGTERM)
    try machine.monitorEnds()
    let record = try machine.ended()
    #expect(record.cause == .hostSignal)
    #expect(record.isFailure)
    #expect(record.detail.contains("terminating on signal 15"))
  }

  @Test("A guest's own reset keeps the process")
  func reset() throws {
    let machine = try Machine(BootSector.say("boot ") + BootSector.reset)
    try machine.launch()
    let process = try machine.guest()
    try machine.eventually("three boots") {
      try machine.consoleText().hasPrefix("boot boot boot")
    }
    #expect(try machine.guest().identity == process.identity)
    let events = try machine.journal().compactMap { $0.data["event"]?.string }
    #expect(events.contains("RESET"))
    _ = try machine.client().kill()
    try machine.monitorEnds()
  }

  @Test("A reboot without an agent goes by the power button and a new process")
  func reboot() throws {
    let machine = try Machine(
      BootSector.say("up") + BootSector.awaitPowerButton + BootSector.powerOff)
    try machine.launch()
    let client = try machine.client()
    try client.reboot()
    #expect(try machine.count("running") == 2)
    try client.reboot(force: true)
    #expect(try machine.count("running") == 2)
    _ = try client.kill()
    try machine.monitorEnds()
  }

  @Test("A reboot of a guest that is on its way up is done once it runs")
  func rebootOnTheWayUp() throws {
    let machine = try Machine(BootSector.halt, strategy: .always)
    machine.configuration.restartDelay = RestartDelay(initial: 60_000)
    try machine.launch()
    try machine.guest().signal(SIGKILL)
    try machine.eventually("the wait") { try machine.client().status().state == .backoff }
    try machine.client().reboot()
    #expect(try machine.client().status().state == .running)
    #expect(try machine.count("running") == 2)
    _ = try machine.client().kill()
    try machine.monitorEnds()
  }

  @Test("A start that fails says why, in QEMU's words, and leaves nothing behind")
  func failedStart() throws {
    let machine = try Machine(BootSector.halt, strategy: .always)
    machine.configuration.machine.cpuModel = "no-such-processor"
    let error = #expect(throws: MonitorError.self) { try machine.launch() }
    #expect(error?.description.contains("no-such-processor") == true)
    try machine.monitorEnds()
    let record = try machine.ended()
    #expect(record.cause == .error)
    #expect(record.status == 1)
    #expect(record.detail.contains("no-such-processor"))
    #expect(try machine.count("starting") == 1)
  }

  @Test("A QEMU that is not there is named")
  func missingQEMU() throws {
    let machine = try Machine()
    machine.configuration.qemu = "/nonexistent/qemu"
    let error = #expect(throws: MonitorError.self) { try machine.launch() }
    #expect(error?.description.contains("cannot start /nonexistent/qemu: No such file") == true)
    try machine.monitorEnds()
  }

  @Test("A monitor killed at any moment of a start leaves a recorded guest or none")
  func killedWhileStarting() throws {
    let machine = try Machine(BootSector.halt)
    try machine.configuration.write(machine.directory)
    var found: Set<String> = []
    for step in 0..<24 {
      let pid = try SpawnRequest(monitorExecutable(), [machine.directory.path]).spawn()
      let monitor = try ProcessHandle(childID: pid, bootID: Machine.host.bootID)
      usleep(UInt32(step) * 2500)
      try monitor.signal(SIGKILL)
      #expect(try monitor.wait() == .signalled(SIGKILL))
      let guest: ProcessHandle?
      if case .running = try machine.report().guest {
        guest = try machine.guest()
      } else {
        guest = nil
      }
      found.insert(guest == nil ? "none" : "recorded")
      if step % 2 == 0, guest != nil {
        // A monitor that takes it up gets it to run.
        try machine.launch(.adopt)
        try machine.eventually("it runs") { try machine.client().status().detail == "running" }
        _ = try machine.client().kill()
        try machine.monitorEnds()
      } else {
        try guest?.signal(SIGKILL)
      }
      try machine.eventually("no process") { try processes(of: machine).isEmpty }
    }
    #expect(found.contains("none"))
  }

  private func processes(of machine: Machine) throws -> [Int32] {
    try namesInDirectory("/proc").compactMap(Int32.init).filter { pid in
      // Processes come and go while the list is read; a zombie has no command line.
      guard let line = try? readFile("/proc/\(pid)/cmdline", limit: 1 << 20) else { return false }
      return String(decoding: line, as: UTF8.self).contains(machine.directory.path)
        || String(decoding: line, as: UTF8.self).contains(machine.configuration.machine.uuid)
    }
  }

  @Test("A second monitor for the same machine is refused")
  func second() throws {
    let machine = try Machine(BootSector.halt)
    try machine.launch()
    let error = #expect(throws: MonitorError.self) { try machine.launch() }
    #expect(error?.description.contains("a monitor runs for") == true)
    #expect(try machine.client().status().state == .running)
    _ = try machine.client().kill()
    try machine.monitorEnds()
  }
}
