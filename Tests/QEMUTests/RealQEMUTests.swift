import JSON
import SystemIO
import Testing

@testable import QEMU

@Suite("The installed QEMU", .serialized)
struct RealQEMUTests {
  static let host = HostContext.live()
  static let searchPath = "/usr/local/bin:/usr/bin:/bin"

  @Test("It is found, with its version")
  func found() throws {
    let qemu = try QEMUBinary.find(searchPath: Self.searchPath, host: Self.host)
    #expect(qemu.version >= QEMUBinary.oldestVersion)
  }

  @Test(
    "What is no QEMU, or one too old, is refused",
    arguments: [
      ("echo 'QEMU emulator version 6.0.1 (Debian)'", "is QEMU 6.0; at least 7.2 is needed"),
      ("echo 'hello version two'", "does not answer as QEMU does"),
      ("echo 'QEMU emulator version 9.0.0'; exit 3", "does not answer as QEMU does"),
    ])
  func refused(script: String, message: String) throws {
    let directory = "/tmp/ingot-qemu-test-\(Self.host.makeUUID())"
    try makeDirectories(directory)
    defer { try? removeTree(directory) }
    try replaceFile(
      directory + "/qemu", with: Array("#!/bin/sh\n\(script)\n".utf8), permissions: 0o700)
    var error: QEMUError?
    // A child that another test forks holds the script open for writing until it executes.
    repeat {
      error = #expect(throws: QEMUError.self) {
        try QEMUBinary.find(directory + "/qemu", searchPath: "", host: Self.host)
      }
    } while error?.description.contains("Text file busy") == true
    #expect(error?.description.contains(message) == true, "\(String(describing: error))")
  }

  @Test("One that is not there is named with what to install")
  func missing() {
    let error = #expect(throws: QEMUError.self) {
      try QEMUBinary.find(searchPath: "/nonexistent", host: Self.host)
    }
    #expect(error?.description.contains("install qemu-system-x86") == true)
  }

  @Test("It comes up with TCG, and the reason is told where it can't")
  func problem() throws {
    let qemu = try QEMUBinary.find(searchPath: Self.searchPath, host: Self.host)
    #expect(qemu.problem(accelerator: "tcg", cpu: "max", host: Self.host) == nil)
    #expect(qemu.problem(accelerator: "tcg", cpu: "nonesuch", host: Self.host) != nil)
  }

  @Test("The probe's decision follows the loop, then QEMU")
  func decision() {
    let fast = AcceleratorChoice.choose(.ran(nanoseconds: 1_500_000)) { nil }
    #expect(fast.accelerator == .kvm)
    let broken = AcceleratorChoice.choose(.ran(nanoseconds: 1_500_000)) { "it aborts" }
    #expect(broken.accelerator == .tcg)
    #expect(broken.reason.contains("it aborts"))
    let slow = AcceleratorChoice.choose(.tooSlow(deadlineMilliseconds: 200)) { nil }
    #expect(slow.accelerator == .tcg)
    #expect(slow.reason.contains("emulates"))
    let none = AcceleratorChoice.choose(
      .failed(SystemError("open /dev/kvm", "a KVM guest", errno: 2))
    ) { nil }
    #expect(none.accelerator == .tcg)
  }

  @Test("The probe gives an accelerator that QEMU comes up with")
  func probe() throws {
    let qemu = try QEMUBinary.find(searchPath: Self.searchPath, host: Self.host)
    let choice = AcceleratorChoice.probe(qemu, host: Self.host)
    #expect(!choice.reason.isEmpty)
    let cpu = choice.accelerator == .kvm ? "host" : "max"
    #expect(
      qemu.problem(accelerator: choice.accelerator.rawValue, cpu: cpu, host: Self.host) == nil)
    #expect(try AcceleratorChoice(JSONReader(choice.json)) == choice)
  }

  @Test("It takes a machine with everything, and opens just the chain that was given")
  func everything() throws {
    let directory = "/tmp/ingot-qemu-test-\(Self.host.makeUUID())"
    try makeDirectories(directory)
    defer { try? removeTree(directory) }
    let base = directory + "/base, with \"odd\" name.qcow2"
    let overlay = directory + "/overlay.qcow2"
    try image(["create", "-q", "-f", "qcow2", base, "64M"])
    // The image itself names a backing file that is not there: only the given chain counts.
    try image([
      "create", "-q", "-u", "-f", "qcow2", "-F", "raw", "-b", "/nonexistent", overlay, "64M",
    ])
    try replaceFile(directory + "/seed", with: [UInt8](repeating: 0, count: 1 << 16))
    var machine = CommandLineTests.full
    machine.firmware = .bios
    machine.disks[0].layers[0].path = overlay
    machine.disks[0].layers[1].path = base
    machine.disks[1].layers[0].path = directory + "/seed"
    // Taps need a network: the monitor's tests have some.
    machine.interfaces = [MachineSpec.Interface(id: "lan", mac: "52:54:00:00:00:01")]
    machine.interfaces += (1...9).map {
      MachineSpec.Interface(id: "extra\($0)", mac: "52:54:00:00:01:0\($0)")
    }
    let client = try start(machine, directory)
    let nodes = try client.client.execute("query-named-block-nodes").array ?? []
    let files = nodes.compactMap { $0["file"]?.string }
    #expect(files.contains(base))
    #expect(!files.contains("/nonexistent"))
    #expect(nodes.count == 6)
    let status = try client.client.execute("query-status")
    #expect(status["status"]?.string == "prelaunch")
    _ = try client.client.execute("quit")
    #expect(try client.process.wait() == .exited(0))
  }

  private func image(_ arguments: [String]) throws {
    let tool = try #require(
      findExecutable("qemu-img", searchPath: Self.searchPath), "qemu-img is missing")
    let result = try SpawnRequest(tool, arguments).run(milliseconds: 30_000, host: Self.host)
    #expect(
      result.end == .exited(0), "\(String(decoding: result.errorOutput, as: UTF8.self))")
  }

  private func start(
    _ machine: MachineSpec, _ directory: String
  ) throws -> (client: QMPClient, process: ProcessHandle) {
    let qemu = try QEMUBinary.find(searchPath: Self.searchPath, host: Self.host)
    let sockets = try ["q", "c", "a"].map { try StreamSocket.listen("\(directory)/\($0)") }
    let errors = try Descriptor.open(directory + "/log", [.write, .create])
    let pid = try SpawnRequest(
      qemu.path,
      machine.arguments(
        descriptors: CommandLineTests.descriptors, consoleLog: directory + "/console,log"),
      descriptors: [
        (target: 2, source: errors), (target: 3, source: sockets[0]),
        (target: 4, source: sockets[1]), (target: 5, source: sockets[2]),
      ]
    ).spawn()
    let process = try ProcessHandle(childID: pid, bootID: Self.host.bootID)
    let socket = try StreamSocket.connect(directory + "/q")
    do {
      return (try QMPClient(socket, host: Self.host, milliseconds: 30_000), process)
    } catch {
      let log = try readFile(directory + "/log")
      Issue.record("\(String(decoding: log, as: UTF8.self))")
      try process.signal(9)
      throw error
    }
  }
}
