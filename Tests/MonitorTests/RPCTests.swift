import Glibc
import JSON
import Monitor
import QEMU
import Supervision
import SystemIO
import Testing

@Suite("The monitor's socket", .serialized)
struct RPCTests {
  @Test("Every socket is open to the owner alone")
  func modes() throws {
    let machine = try Machine(BootSector.halt)
    try machine.launch()
    let directory = machine.directory
    for path in [
      directory.monitorSocket, directory.qmpSocket, directory.consoleSocket, directory.agentSocket,
    ] {
      var status = stat()
      #expect(lstat(path, &status) == 0)
      #expect(status.st_mode & 0o7777 == 0o600, "\(path)")
    }
    _ = try machine.client().kill()
    try machine.monitorEnds()
  }

  @Test("Garbage, half lines and unread answers harm their sender alone")
  func hostile() throws {
    let machine = try Machine(BootSector.halt)
    try machine.launch()
    let path = machine.directory.monitorSocket
    let garbage = try StreamSocket.connect(path)
    _ = try StreamSocket.send(Array("\u{0}{nonsense\n[]\n{\"id\":7}\n\n".utf8)[...], on: garbage)
    let answers = try Wire.read(garbage, [], until: "'method' should be there")
    #expect(answers.contains("no valid JSON"))
    let half = try StreamSocket.connect(path)
    _ = try StreamSocket.send(Array("{\"id\":1,\"meth".utf8)[...], on: half)
    // A line without end is cut off.
    let huge = try StreamSocket.connect(path)
    var sent = 0
    let block = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 16)
    while sent < 3 << 20 {
      guard let count = try? StreamSocket.send(block[...], on: huge) else { break }
      sent += count
      if count == 0 { usleep(1000) }
    }
    #expect(sent < 3 << 20)
    // Requests whose answers nobody reads.
    let deaf = try StreamSocket.connect(path)
    let requests = Array(String(repeating: "{\"method\":\"status\"}\n", count: 500).utf8)
    var wasCut = false
    let end = Machine.host.uptime() + 60_000_000_000
    while !wasCut, Machine.host.uptime() < end {
      do {
        if try StreamSocket.send(requests[...], on: deaf) == 0 { usleep(1000) }
      } catch {
        wasCut = true
      }
    }
    #expect(wasCut)
    #expect(try machine.client().status().state == .running)
    withExtendedLifetime((half, garbage)) {}
    _ = try machine.client().kill()
    try machine.monitorEnds()
  }

  @Test("Followers see what happens, from the number they ask for")
  func follow() throws {
    let machine = try Machine(BootSector.halt)
    try machine.launch()
    let follower = try machine.client()
    let past = try follower.follow(after: 1)
    #expect(past.first?.sequence == 2)
    _ = try machine.client().kill()
    var kinds: [String] = []
    while let event = try? follower.nextEvent(milliseconds: 5000) { kinds.append(event.kind) }
    #expect(kinds.contains("request"))
    #expect(kinds.contains("exited"))
    try machine.monitorEnds()
    #expect(try machine.journal().map(\.sequence).last == Int64(try machine.journal().count))
  }

  @Test("What a guest is not in a state for is refused with its state")
  func refusals() throws {
    let machine = try Machine(BootSector.halt)
    try machine.launch()
    let client = try machine.client()
    #expect(throws: RPCError("the guest does not wait for a restart: it is running")) {
      try client.start()
    }
    #expect(throws: RPCError("the monitor does not pass on 'migrate'")) {
      try client.call("qmp", ["command": "migrate"])
    }
    #expect(throws: RPCError("the monitor knows no method 'fly'")) { try client.call("fly") }
    _ = try client.kill()
    try machine.monitorEnds()
  }

  @Test("A QEMU that never answers is killed at the start's limit")
  func silentQEMU() throws {
    let machine = try Machine(BootSector.halt)
    let fake = machine.directory.path + "/fake-qemu"
    try replaceFile(fake, with: Array("#!/bin/sh\nexec sleep 1000\n".utf8), permissions: 0o700)
    machine.configuration.qemu = fake
    machine.configuration.startLimit = 200
    let error = #expect(throws: MonitorError.self) { try machine.launch() }
    #expect(error?.description.contains("did not run the guest within 200 ms") == true)
    try machine.monitorEnds()
    #expect(try machine.ended().signal == SIGKILL)
  }

  @Test("A stopped QEMU process is unresponsive, not stopped, and can be killed")
  func unresponsive() throws {
    let machine = try Machine(BootSector.halt)
    try machine.launch()
    try machine.guest().signal(SIGSTOP)
    let client = try machine.client()
    let other = try machine.client()
    // Asking makes the silence known; it would be after the next heartbeat anyway.
    #expect(throws: RPCError.self) { try other.call("qmp", ["command": "query-status"]) }
    #expect(try client.status().state == .unresponsive)
    guard case .running = try machine.report().guest else {
      Issue.record("the report is \(try machine.report())")
      return
    }
    let record = try #require(try client.kill())
    #expect(record.cause == .killed)
    try machine.monitorEnds()
  }

  @Test("A directory whose path is too long for a socket's name works all the same")
  func longPath() throws {
    let path = "/tmp/ingot-monitor-test-" + String(repeating: "long", count: 40)
    try makeDirectories(path, permissions: 0o700)
    let socket = try StreamSocket.listen(path + "/monitor.sock")
    _ = try StreamSocket.connect(path + "/monitor.sock")
    #expect(try StreamSocket.accept(socket) != nil)
    try removeTree(path)
  }
}
