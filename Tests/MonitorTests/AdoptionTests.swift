import Glibc
import JSON
import Monitor
import QEMU
import SystemIO
import Testing

@Suite("Monitors come and go", .serialized)
struct AdoptionTests {
  @Test("A guest outlives its killed monitor and is taken up by the next")
  func killedMonitor() throws {
    let machine = try Machine(BootSector.say("up") + BootSector.echo)
    try machine.launch()
    try machine.eventually("the guest") { try machine.consoleText() == "up" }
    let process = try machine.guest()
    try machine.monitor().signal(SIGKILL)
    try machine.monitorEnds()
    #expect(try !process.hasEnded())
    guard case .running(let record) = try machine.report().guest else {
      Issue.record("the report is \(try machine.report())")
      return
    }
    #expect(record.process == process.identity)

    try machine.launch(.adopt)
    let client = try machine.client()
    #expect(try client.status().state == .running)
    #expect(try machine.guest().identity == process.identity)
    #expect(try machine.count("starting") == 1)
    #expect(try machine.count("adopted") == 1)
    // The console works, and QMP too.
    let (console, first) = try machine.client().console()
    #expect(try Wire.read(console, first, until: "up").hasSuffix("up"))
    _ = try StreamSocket.send(Array("again".utf8)[...], on: console)
    #expect(try Wire.read(console, [], until: "again") == "again")
    try client.pause()
    #expect(try client.status().state == .paused)
    // It is not the new monitor's child, so its status is lost; but who killed it knows that.
    let end = try #require(try client.kill())
    #expect(end.cause == .killed)
    #expect(end.request == "kill")
    try machine.monitorEnds()
  }

  @Test("An adopted guest that powers off is known to have")
  func adoptedPowerOff() throws {
    let machine = try Machine(BootSector.awaitPowerButton + BootSector.powerOff)
    try machine.launch()
    try machine.monitor().signal(SIGKILL)
    try machine.monitorEnds()
    try machine.launch()
    let record = try #require(try machine.client().stop())
    #expect(record.cause == .guestShutdown)
    try machine.monitorEnds()
  }

  @Test("SIGTERM ends the monitor and leaves the guest")
  func leave() throws {
    let machine = try Machine(BootSector.halt)
    try machine.launch()
    let process = try machine.guest()
    try machine.monitor().signal(SIGTERM)
    try machine.monitorEnds()
    #expect(try !process.hasEnded())
    #expect(try machine.journal().last?.kind == "monitor-left")
    try machine.launch(.adopt)
    #expect(try machine.guest().identity == process.identity)
    _ = try machine.client().kill()
    try machine.monitorEnds()
  }

  @Test("A guest that died without a monitor ends as unknown, and its strategy decides")
  func vanished() throws {
    let machine = try Machine(BootSector.halt)
    try machine.launch()
    try machine.monitor().signal(SIGKILL)
    try machine.monitorEnds()
    let process = try machine.guest()
    try process.signal(SIGKILL)
    try machine.eventually("the end") { try process.hasEnded() }
    guard case .vanished = try machine.report().guest else {
      Issue.record("the report is \(try machine.report())")
      return
    }
    try machine.launch(.adopt)
    try machine.monitorEnds()
    #expect(try machine.ended().cause == .unknown)
    #expect(try machine.ended().isFailure)

    machine.configuration.strategy = .rerunOnFailure
    try machine.launch()
    try machine.monitor().signal(SIGKILL)
    try machine.monitorEnds()
    try machine.guest().signal(SIGKILL)
    try machine.eventually("the end") {
      if case .vanished = try machine.report().guest { true } else { false }
    }
    try machine.launch(.adopt)
    try machine.eventually("a restart") { try machine.count("running") == 3 }
    _ = try machine.client().kill()
    try machine.monitorEnds()
  }

  @Test("What the console showed before still makes an adopted guest ready")
  func adoptedReadiness() throws {
    let machine = try Machine(BootSector.say("is up") + BootSector.echo)
    machine.configuration.readiness = Probe(.console(text: "is up"), period: 20)
    try machine.launch()
    try machine.eventually("ready") { try machine.client().status().isReady }
    try machine.monitor().signal(SIGKILL)
    try machine.monitorEnds()
    try machine.launch(.adopt)
    try machine.eventually("ready") { try machine.client().status().isReady }
    _ = try machine.client().kill()
    try machine.monitorEnds()
  }

  /// In the monitor's stead, and gone when this returns.
  private func pressPowerButton(_ machine: Machine) throws {
    let qemu = try QMPClient(
      StreamSocket.connect(machine.directory.qmpSocket), host: Machine.host, milliseconds: 30_000)
    _ = try qemu.execute("system_powerdown")
  }

  @Test(
    "What the console showed while no monitor ran makes the guest ready",
    arguments: [("", "READY", ""), ("RE", "AD", "Y")])
  func readinessUnseen(before: String, unseen: String, after: String) throws {
    let machine = try Machine(
      BootSector.say(before) + BootSector.awaitPowerButton + BootSector.say(unseen)
        + BootSector.echo)
    machine.configuration.readiness = Probe(.console(text: "READY"), period: 20)
    // The text of an earlier run is not this one's.
    try replaceFile(machine.directory.consoleLog, with: Array("READY\nR".utf8))
    let past = "READY\nR"
    try machine.launch()
    try machine.eventually("the guest") { try machine.consoleText() == past + before }
    try machine.monitor().signal(SIGKILL)
    try machine.monitorEnds()
    try machine.eventually("the text") {
      // A press before the guest waits for one is lost.
      try pressPowerButton(machine)
      return try machine.consoleText() == past + before + unseen
    }
    try machine.launch(.adopt)
    let client = try machine.client()
    #expect(try client.status().state == .running)
    let (console, first) = try machine.client().console()
    let replayed = try Wire.read(console, first, until: unseen)
    #expect(replayed == past + before + unseen)
    if !after.isEmpty {
      #expect(try !client.status().isReady)
      _ = try StreamSocket.send(Array(after.utf8)[...], on: console)
    }
    try machine.eventually("ready") { try client.status().isReady }
    #expect(try machine.count("ready") == 1)
    _ = try client.kill()
    try machine.monitorEnds()
  }

  @Test("A record of another boot of the host names no living process")
  func otherBoot() throws {
    let machine = try Machine(BootSector.halt)
    try machine.launch()
    try machine.monitor().signal(SIGKILL)
    try machine.monitorEnds()
    let process = try machine.guest()
    var host = Machine.host
    host.bootID = "another"
    guard case .vanished = try MachineReport.read(machine.directory, host: host).guest else {
      Issue.record("taken for alive")
      return
    }
    try process.signal(SIGKILL)
  }

  @Test("A record that can't be read is an error, never taken for absent")
  func corruptRecord() throws {
    let machine = try Machine(BootSector.halt)
    try machine.launch()
    try machine.monitor().signal(SIGKILL)
    try machine.monitorEnds()
    let process = try machine.guest()
    try replaceFile(machine.directory.started, with: Array("{\"version\":1,".utf8))
    let error = #expect(throws: MonitorError.self) { try machine.report() }
    #expect(error?.description.contains("started can't be used") == true)
    #expect(throws: MonitorError.self) { try machine.launch() }
    #expect(try !process.hasEnded())
    try process.signal(SIGKILL)
  }

  @Test("A torn last line of the journal is cut off and the count goes on")
  func tornJournal() throws {
    let machine = try Machine(BootSector.halt)
    try machine.launch()
    _ = try machine.client().kill()
    try machine.monitorEnds()
    let before = try machine.journal()
    let file = try Descriptor.open(machine.directory.journal, [.write, .append])
    try file.write(Array("{\"seq\":99,\"ti".utf8))
    #expect(try machine.journal() == before)
    try machine.launch()
    _ = try machine.client().kill()
    try machine.monitorEnds()
    let after = try machine.journal()
    #expect(after.map(\.sequence) == Array(1...Int64(after.count)))
    #expect(after.prefix(before.count) == before[...])
  }
}

/// Reading and writing a socket as bytes.
enum Wire {
  /// Reads until the text has come.
  static func read(_ socket: Descriptor, _ first: [UInt8], until text: String) throws -> String {
    var bytes = first
    let end = Machine.host.uptime() + 30_000_000_000
    while !String(decoding: bytes, as: UTF8.self).contains(text) {
      if Machine.host.uptime() > end {
        throw MonitorError("'\(text)' did not come, but \(bytes.count) bytes")
      }
      var entries = [PollEntry(socket.raw, wantsRead: true)]
      try poll(&entries, milliseconds: 100)
      if let more = try StreamSocket.receive(from: socket) {
        if more.isEmpty { throw MonitorError("the end came before '\(text)'") }
        bytes += more
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
