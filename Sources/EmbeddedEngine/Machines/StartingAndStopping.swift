internal import EngineInterface
internal import GRDB
internal import Glibc
internal import Monitor
internal import QEMU
internal import Resources
internal import Supervision
internal import SystemIO

// Guests up and down. All of this blocks.
extension EmbeddedEngine {
  /// Whether a machine has, or may have, processes.
  func isRunning(_ uid: String) throws -> Bool {
    try store.read { db in try StoredMachine.find(db, uid).map { !$0.isDown } ?? false }
  }

  /// The mark of what a machine's guest was started with; nil where none runs.
  func runningMark(_ uid: String) throws -> StartMark? {
    if case .running(let record) = try report(MachineDirectory(home.machine(uid))).guest {
      return StartMark(record.generation)
    }
    return nil
  }

  /// A connection to a machine's monitor; nil where none runs.
  func connectMonitor(_ uid: String) throws -> MonitorClient? {
    do {
      return try MonitorClient(MachineDirectory(home.machine(uid)), host: host)
    } catch {
      guard error.isNotFound || error.isRefused else { throw error }
      return nil
    }
  }

  /// A connection to the monitor of a machine whose guest may live; a monitor that died is
  /// replaced by another, which takes the guest up.
  ///
  /// One that is about to end, with or after its guest, still takes connections: it is known by
  /// its silence, and waited for.
  /// - Parameter restarting: where a monitor died between its guest's end and the restart, another
  ///   is started to go on with it.
  /// - Returns: nil where the guest is down.
  func attachMonitor(_ uid: String, restarting: Bool = false) throws -> MonitorClient? {
    let directory = MachineDirectory(home.machine(uid))
    for _ in 0..<5 {
      if let client = try connectMonitor(uid) ?? awaitMonitor(uid) {
        guard hasGone(client) else { return client }
        try waitForMonitor(uid)
        continue
      }
      guard fileExists(directory.configuration) else { return nil }
      switch try report(directory).guest {
      case .ended(let end) where restarting:
        guard try configuration(of: directory).restarts(after: end) else { return nil }
      case .neverStarted, .ended: return nil
      case .running, .unknown, .vanished: break
      }
      do {
        try launch(directory, .adopt)
      } catch {
        // Another command may have been faster.
        guard try FileLock.isHeld(directory.lock) else { throw error }
      }
    }
    throw EngineError(
      "failed", "the monitor of machine \(uid) ends again and again",
      help: "see \(directory.monitorLog)")
  }

  func configuration(of directory: MachineDirectory) throws -> MonitorConfiguration {
    do {
      return try MonitorConfiguration.read(directory)
    } catch {
      throw EngineError("failed", "\(error)", help: "apply its manifest again")
    }
  }

  /// A connection to a monitor that has been launched and does not listen yet; nil where there is
  /// none, or it ended.
  private func awaitMonitor(_ uid: String) throws -> MonitorClient? {
    let path = MachineDirectory(home.machine(uid)).lock
    let deadline = host.uptime() + Self.monitorPatience
    while try FileLock.isHeld(path) {
      if let client = try connectMonitor(uid) { return client }
      guard host.uptime() < deadline else {
        throw EngineError(
          "failed", "the monitor of machine \(uid) does not answer", help: "try again")
      }
      usleep(2000)
    }
    return nil
  }

  /// How long a monitor may take until it listens, or until it has ended, in nanoseconds.
  private static let monitorPatience: UInt64 = 20_000_000_000

  private func hasGone(_ client: MonitorClient) -> Bool {
    do {
      _ = try client.status()
      return false
    } catch {
      // Any other failure is for the caller's own request to meet.
      return error.isGone
    }
  }

  func report(_ directory: MachineDirectory) throws -> MachineReport {
    do {
      return try MachineReport.read(directory, host: host)
    } catch {
      throw EngineError("failed", "\(error)")
    }
  }

  private func launch(_ directory: MachineDirectory, _ mode: LaunchMode) throws {
    do {
      try launchMonitor(directory, monitorExecutable: programs.monitor, mode: mode, host: host)
    } catch {
      throw EngineError("start-failed", "\(error)", help: "see \(directory.qemuLog)")
    }
  }

  /// Starts a machine's guest where it does not run.
  ///
  /// - Parameters:
  ///   - first: joins the transaction that is durable before the guest is started.
  ///   - last: joins the one that tells how that went.
  func start(
    _ uid: String, first: @escaping @Sendable (Database) throws -> Void = { _ in },
    last: @escaping @Sendable (Database) throws -> Void = { _ in }
  ) throws {
    if let client = try attachMonitor(uid) {
      let status = try answered { () throws(RPCError) in try client.status() }
      switch status.state {
      case .backoff:
        try answered { () throws(RPCError) in try client.start() }
        return try markUp(uid)
      case .stopped: try waitForMonitor(uid)
      case _ where status.isStopping: try waitForMonitor(uid)
      default: return try markUp(uid)
      }
    }
    try prepareStart(uid)
    try settleNetworks(uid)
    let now = host.now().seconds
    try setMachine(uid, with: first) { row in
      row.isDown = false
      row.state = .starting
      row.reason = nil
      row.forgetGuest()
      row.since = now
    }
    do {
      try launch(MachineDirectory(home.machine(uid)), .start)
    } catch {
      // A monitor may die when the guest runs already; then another takes that up.
      guard try attachMonitor(uid) == nil else { return try markRunning(uid, with: last) }
      let reason = EngineError.wrapping(error).message
      try setMachine(uid, with: last) { row in
        row.isDown = true
        row.state = .crashed
        row.reason = reason
      }
      throw error
    }
    try markRunning(uid, with: last)
  }

  private func markRunning(
    _ uid: String, with more: @escaping @Sendable (Database) throws -> Void
  ) throws {
    try setMachine(uid, with: more) { row in row.state = .running }
  }

  /// Records that a machine runs which its row takes for down: its monitor was killed, the next one
  /// found the guest gone and started it again by its run strategy.
  private func markUp(_ uid: String) throws {
    let now = host.now().seconds
    try setMachine(uid) { row in
      guard row.isDown else { return }
      row.isDown = false
      row.state = .running
      row.reason = nil
      row.forgetGuest()
      row.since = now
    }
  }

  /// What a start needs beside the directory: files that left the machine go, ports are free.
  private func prepareStart(_ uid: String) throws {
    let directory = MachineDirectory(home.machine(uid))
    guard fileExists(directory.configuration) else {
      throw EngineError(
        "incomplete", "machine \(uid) has not been made completely",
        help: "apply its manifest again")
    }
    let configuration = try configuration(of: directory)
    for forward in configuration.machine.interfaces.flatMap(\.forwards)
    where !HostPort.isFree(
      forward.transport.rawValue, address: forward.hostAddress, port: forward.hostPort)
    {
      throw EngineError(
        "in-use", "the host port \(forward.removalArgument) is in use by a program outside ingot",
        help: "end that program, or choose another host port")
    }
  }

  private func setMachine(
    _ uid: String, with more: @escaping @Sendable (Database) throws -> Void = { _ in },
    _ body: @escaping @Sendable (inout StoredMachine) -> Void
  ) throws {
    try store.change { [self] db in
      try more(db)
      var row = try StoredMachine.require(db, uid)
      body(&row)
      try save(row, db)
    }
  }

  /// Brings a machine's guest down and waits until nothing of it runs.
  ///
  /// - Parameter grace: seconds until it is killed.
  func bringDown(_ uid: String, grace: Int) throws {
    guard let row = try store.read({ db in try StoredMachine.find(db, uid) }), !row.isDown else {
      return
    }
    let end = try stopGuest(uid, grace: grace)
    try waitForMonitor(uid)
    if case .running = try report(MachineDirectory(home.machine(uid))).guest {
      throw EngineError("failed", "the guest of machine \(uid) lives on", help: "try again")
    }
    let reason = end?.summary
    try replayJournal(uid)
    let now = host.now().seconds
    try setMachine(uid) { row in
      row.isDown = true
      row.state = .halted
      row.reason = reason
      row.forgetGuest()
      row.since = now
    }
    publishEnd(of: row)
  }

  /// Lets a guest's monitor stop it; one that dies over it is replaced, and asked the same.
  ///
  /// - Returns: how the guest ended, where its monitor told.
  private func stopGuest(_ uid: String, grace: Int) throws -> ExitRecord? {
    for _ in 0..<3 {
      guard let client = try attachMonitor(uid) else { return nil }
      do {
        return try client.stop(grace: grace * 1000)
      } catch {
        if error.isGone { continue }
        // Its monitor does not do it; the process has a name all the same.
        break
      }
    }
    try killGuest(uid)
    return nil
  }

  /// Kills a guest by its pidfd and waits for its end.
  private func killGuest(_ uid: String) throws {
    let directory = MachineDirectory(home.machine(uid))
    switch try report(directory).guest {
    case .running(let record), .unknown(let record):
      guard let process = try record.process.open(currentBootID: host.bootID) else { return }
      try process.signal(SIGKILL)
      var entries = [PollEntry(process.descriptor.raw, wantsRead: true)]
      try poll(&entries, milliseconds: 10_000)
    case .neverStarted, .ended, .vanished: break
    }
  }

  /// Waits until a machine's monitor has ended, which it does soon after its guest.
  private func waitForMonitor(_ uid: String) throws {
    let path = MachineDirectory(home.machine(uid)).lock
    let deadline = host.uptime() + Self.monitorPatience
    while try FileLock.isHeld(path) {
      guard host.uptime() < deadline else {
        throw EngineError(
          "failed", "the monitor of machine \(uid) does not end", help: "try again")
      }
      usleep(5000)
    }
  }

  /// The engine's error for what a monitor answered.
  func answered<Value>(_ call: () throws(RPCError) -> Value) throws -> Value {
    do {
      return try call()
    } catch {
      throw EngineError("failed", error.description)
    }
  }
}
