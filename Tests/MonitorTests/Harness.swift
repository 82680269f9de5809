import Glibc
import JSON
import Monitor
import QEMU
import Supervision
import SystemIO
import Testing

/// Where `ingot-monitor` was built: beside the test program, whose products share a directory.
func monitorExecutable() throws -> String {
  var buffer = [CChar](repeating: 0, count: 4096)
  let length = readlink("/proc/self/exe", &buffer, buffer.count)
  let program = buffer.prefix(max(0, length)).map { UInt8(bitPattern: $0) }
  let candidates = [String(decoding: program, as: UTF8.self)] + CommandLine.arguments
  for candidate in candidates where candidate.contains("/") {
    var directory = directoryName(candidate)
    while directory.count > 1 {
      let path = directory + "/ingot-monitor"
      if access(path, X_OK) == 0, !directory.hasSuffix("/Sources") { return path }
      directory = directoryName(directory)
    }
  }
  throw MonitorError("ingot-monitor is not beside \(candidates); run 'swift build' first")
}

/// A program of a few bytes that the firmware boots: real mode, at most 510 bytes.
enum BootSector {
  /// Writes to the first serial port.
  static func say(_ text: String) -> [UInt8] {
    [0xba, 0xf8, 0x03] + text.utf8.flatMap { [0xb0, $0, 0xee] }
  }
  /// Sleeps for ever.
  static let halt: [UInt8] = [0xf4, 0xeb, 0xfd]
  /// Powers off: sleep state 5 into PM1a_CNT.
  static let powerOff: [UInt8] = [0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, 0xef] + halt
  /// Resets through port 0xcf9.
  static let reset: [UInt8] = [0xba, 0xf9, 0x0c, 0xb0, 0x06, 0xee] + halt
  /// Enables the power button in PM1a_EN and waits for it in PM1a_STS.
  static let awaitPowerButton: [UInt8] = [
    0xfa, 0xba, 0x02, 0x06, 0xb8, 0x00, 0x01, 0xef,
    0xba, 0x00, 0x06, 0xed, 0xf6, 0xc4, 0x01, 0x74, 0xfa,
  ]
  /// Sends back every byte that comes in on the serial port.
  static let echo: [UInt8] = [
    0xba, 0xfd, 0x03, 0xec, 0xa8, 0x01, 0x74, 0xfb, 0xba, 0xf8, 0x03, 0xec, 0xee, 0xeb, 0xf1,
  ]
  /// Writes to the serial port without end.
  static let flood: [UInt8] = [0xba, 0xf8, 0x03, 0xb0, 0x78, 0xee, 0xeb, 0xfd]

  /// A disk that boots the program.
  static func disk(_ program: [UInt8]) -> [UInt8] {
    program + [UInt8](repeating: 0, count: 510 - program.count) + [0x55, 0xaa]
      + [UInt8](repeating: 0, count: (1 << 20) - 512)
  }
}

/// A machine in a directory of its own; gone with this object.
final class Machine {
  static let host = HostContext.live()
  let directory: MachineDirectory
  var configuration: MonitorConfiguration

  /// - Parameter program: what the guest does; nil for a machine with nothing to boot.
  init(_ program: [UInt8]? = nil, strategy: RunStrategy = .manual) throws {
    let path = "/tmp/ingot-monitor-test-\(Self.host.makeUUID())"
    directory = MachineDirectory(path)
    try makeDirectories(path, permissions: 0o700)
    var disks: [MachineSpec.Disk] = []
    if let program {
      try replaceFile(path + "/disk", with: BootSector.disk(program))
      disks = [
        MachineSpec.Disk(
          id: "root", layers: [MachineSpec.Layer(path: path + "/disk", format: .raw)], bootIndex: 0)
      ]
    }
    let qemu = try QEMUBinary.find(searchPath: "/usr/local/bin:/usr/bin:/bin", host: Self.host)
    let machine = MachineSpec(
      name: "test", uuid: Self.host.makeUUID(), memory: 64 << 20, accelerator: .tcg,
      disks: disks, spareSlots: 0)
    configuration = MonitorConfiguration(
      machineID: "test", generation: "1", qemu: qemu.path, machine: machine, strategy: strategy,
      restartDelay: RestartDelay(initial: 50, maximum: 200), grace: 60_000,
      consoleLimit: 1 << 16)
  }

  deinit {
    // Whatever a failed test left.
    if let client = try? client() { _ = try? client.kill() }
    killGuest()
    try? removeTree(directory.path)
  }

  func launch(_ mode: LaunchMode = .start) throws {
    try configuration.write(directory)
    try launchMonitor(
      directory, monitorExecutable: monitorExecutable(), mode: mode, host: Self.host)
  }

  func client() throws -> MonitorClient { try MonitorClient(directory, host: Self.host) }

  func report() throws -> MachineReport { try MachineReport.read(directory, host: Self.host) }

  func journal() throws -> [JournalEntry] { try JournalEntry.read(directory) }

  func count(_ kind: String) throws -> Int { try journal().count { $0.kind == kind } }

  /// The waits before the restarts so far, in milliseconds.
  func restartWaits() throws -> [Int64] {
    try journal().filter { $0.kind == "restart" }.compactMap { $0.data["after"]?.integer }
  }

  /// The process of the guest, as recorded.
  func guest() throws -> ProcessHandle {
    guard case .running(let record) = try report().guest,
      let handle = try record.process.open(currentBootID: Self.host.bootID)
    else { throw MonitorError("no guest runs in \(directory.path)") }
    return handle
  }

  /// The process that holds the monitor's end of the RPC.
  func monitor() throws -> ProcessHandle {
    for name in try namesInDirectory("/proc") {
      // Processes come and go while the list is read.
      guard let pid = Int32(name),
        let line = try? readFile("/proc/\(pid)/cmdline", limit: 1 << 20),
        String(decoding: line, as: UTF8.self).contains("ingot-monitor\0\(directory.path)\0"),
        let handle = try ProcessIdentity(running: pid, bootID: Self.host.bootID).open(
          currentBootID: Self.host.bootID)
      else { continue }
      return handle
    }
    throw MonitorError("no monitor runs for \(directory.path)")
  }

  /// Waits for something that will come; the limit is for a test that fails.
  func eventually(_ what: String, _ condition: () throws -> Bool) throws {
    let end = Self.host.uptime() + 60_000_000_000
    while try !condition() {
      if Self.host.uptime() > end {
        let log = (try? readFile(directory.monitorLog)) ?? []  // For the message alone.
        throw MonitorError(
          "\(what) did not come; journal \(try journal().map(\.kind)); log: "
            + String(decoding: log, as: UTF8.self))
      }
      usleep(10_000)
    }
  }

  /// Waits until the monitor is gone.
  func monitorEnds() throws {
    try eventually("the monitor's end") { try !report().hasMonitor }
    // The socket goes before the lock.
    try eventually("the lock") { (try? FileLock(directory.lock)) != nil }
  }

  func consoleText() throws -> String {
    guard fileExists(directory.consoleLog) else { return "" }
    return String(decoding: try readFile(directory.consoleLog), as: UTF8.self)
  }

  func ended() throws -> ExitRecord {
    guard case .ended(let record) = try report().guest else {
      throw MonitorError("the guest has not ended: \(try report().guest)")
    }
    return record
  }

  private func killGuest() {
    guard let handle = try? guest() else { return }
    try? handle.signal(SIGKILL)
  }
}
