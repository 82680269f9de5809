public import EngineInterface
internal import GRDB
internal import JSON
internal import Monitor
internal import QEMU
internal import Resources
internal import Supervision
internal import SystemIO

// Start, stop and the verbs that leave a machine's specification alone.
extension EmbeddedEngine {
  /// Verbs on a running machine; see `Engine`.
  public func control(_ machine: String, _ verb: MachineVerb) async throws {
    let id = ResourceID(.virtualMachine, machine)
    do {
      switch verb {
      case .start: _ = try await startMachine(id)
      case .stop(let grace): _ = try await stopMachine(id, grace: grace)
      case .reboot(let force):
        try await reboot(id, force: force)
        try await note(id, "Rebooted", "\(id) is rebooted")
      case .pause:
        try await onMonitor(id) { client, _ in
          try self.answered { () throws(RPCError) in try client.pause() }
        }
        try await note(id, "Paused", "\(id) is paused")
      case .resume:
        try await onMonitor(id) { client, _ in
          try self.answered { () throws(RPCError) in try client.resume() }
        }
        try await note(id, "Resumed", "\(id) is resumed")
      }
    } catch let error as SimulatedDeath {
      throw error
    } catch {
      throw EngineError.wrapping(error, doing: "\(verb.word) \(id)")
    }
  }

  /// Reboots a guest: within its process where nothing waits for the next boot, else in a new one.
  private func reboot(_ id: ResourceID, force: Bool) async throws {
    let observed = try await observe().resources.first { $0.resource.id == id }
    if let machine = observed?.machine, !machine.restartRequired.isEmpty {
      _ = try await stopMachine(id, grace: force ? 0 : nil)
      _ = try await startMachine(id)
      return
    }
    try await onMonitor(id) { client, row in
      let spec = try MachineSpecification(row.resource.spec)
      try self.answered { () throws(RPCError) in
        try client.reboot(force: force, grace: spec.terminationGracePeriod * 1000)
      }
    }
  }

  /// Runs a command in a guest through its agent; see `Engine`.
  ///
  /// - Parameter timeout: in seconds.
  public func execute(
    _ machine: String, _ arguments: [String], input: [UInt8], timeout: Int
  ) async throws -> EngineInterface.GuestCommandResult {
    let id = ResourceID(.virtualMachine, machine)
    let doing = "run \(arguments.first ?? "nothing") in \(id)"
    guard input.count <= MonitorClient.inputLimit else {
      throw EngineError(
        "refused",
        "cannot \(doing): its input of \(input.count) bytes is over the agent's limit of "
          + "\(MonitorClient.inputLimit)",
        help: "give it less, or use `ingot ssh`")
    }
    return try await wrapped(doing) { [self] in
      let row = try store.read { db in try StoredResource.require(db, id) }
      let client = try requireMonitor(row)
      let limit = min(max(1, timeout), 86_400) * 1000
      let result = try answered { () throws(RPCError) in
        try client.run(arguments, input: input, milliseconds: limit)
      }
      let code = result.status ?? 128 + (result.signal ?? 0)
      return EngineInterface.GuestCommandResult(
        exitCode: Int32(clamping: code), output: result.output, errors: result.errorOutput)
    }
  }

  func startMachine(_ id: ResourceID) async throws -> ActOutcome {
    try await offload { [self] in
      try checkpoint("before start \(id.kind.rawValue) intent")
      let session = try currentSession()
      try awaitDeath(id)
      let row = try store.read { db in
        try refuseWhileActedOn(db, id)
        return try StoredResource.require(db, id)
      }
      guard row.phase == .ready else { throw incomplete(row) }
      // A restart by its monitor may have taken what was staged; so does this one.
      try writeConfiguration(row.uid, row.resource, generation: row.generation)
      try removeDisksThatLeft(row)
      try start(row.uid) { db in
        try self.takeOver(db, id)
        _ = try Intent.begin(
          db, session: session.id, process: self.processID, verb: "start", id: id, uid: row.uid,
          now: self.host.now().seconds, data: [:])
        try self.addEvent(db, id, "StartRequested", "\(id) is to be started")
      } last: { db in
        try Intent.find(db, id).map { try Intent.end(db, $0.row) }
      }
      try checkpoint("after start \(id.kind.rawValue) outcome")
      return ActOutcome(effect: .live)
    }
  }

  private func removeDisksThatLeft(_ row: StoredResource) throws {
    if try isRunning(row.uid) { return }
    try makeMachineDisks(row.uid, MachineSpecification(row.resource.spec))
  }

  func stopMachine(_ id: ResourceID, grace: Int?) async throws -> ActOutcome {
    try await offload { [self] in
      try checkpoint("before stop \(id.kind.rawValue) intent")
      let session = try currentSession()
      try awaitDeath(id)
      let row = try store.read { db in try StoredResource.require(db, id) }
      guard try isRunning(row.uid) else { return ActOutcome() }
      let intent = try store.change { [self] db in
        try takeOver(db, id)
        try addEvent(db, id, "StopRequested", "\(id) is to be shut down")
        return try Intent.begin(
          db, session: session.id, process: processID, verb: "stop", id: id, uid: row.uid,
          now: host.now().seconds, data: [:])
      }
      defer {
        // Should even this fail, the next process finds an intent of a session that is gone.
        _ = try? store.write { db in try Intent.end(db, intent) }
      }
      let spec = try MachineSpecification(row.resource.spec)
      try bringDown(row.uid, grace: grace ?? spec.terminationGracePeriod)
      try checkpoint("after stop \(id.kind.rawValue) outcome")
      return ActOutcome(effect: .restart)
    }
  }

  private func refuseWhileActedOn(_ db: Database, _ id: ResourceID) throws {
    guard let intent = try Intent.find(db, id) else { return }
    if try Session.isAlive(intent.session, home: home) {
      throw EngineError(
        "busy", "process \(intent.process) is about to \(intent.verb) \(id)",
        help: "wait until it has ended, then try again")
    }
  }

  private func incomplete(_ row: StoredResource) -> EngineError {
    EngineError(
      "incomplete", "\(row.id) is not complete: \(row.reason ?? "no reason is known")",
      help: "apply its manifest again")
  }

  /// The monitor of a machine that must run.
  func requireMonitor(_ row: StoredResource) throws -> MonitorClient {
    if try isRunning(row.uid), let client = try attachMonitor(row.uid) { return client }
    throw EngineError(
      "not-running", "\(row.id) does not run", help: "`ingot start \(row.id.name)` starts it")
  }

  private func onMonitor(
    _ id: ResourceID, _ body: @escaping @Sendable (MonitorClient, StoredResource) throws -> Void
  ) async throws {
    try await offload { [self] in
      let row = try store.read { db in try StoredResource.require(db, id) }
      try body(try requireMonitor(row), row)
    }
  }

  private func note(_ id: ResourceID, _ reason: String, _ message: String) async throws {
    try await offload { [self] in
      try store.write { [self] db in try addEvent(db, id, reason, message) }
    }
  }

  /// The socket of a running machine's monitor, through which its console is reached.
  ///
  /// - Throws: `EngineError` `not-found` or `not-running`.
  public func consoleSocket(_ machine: String) async throws -> String {
    let id = ResourceID(.virtualMachine, machine)
    return try await wrapped("reach the console of \(id)") { [self] in
      let row = try store.read { db in try StoredResource.require(db, id) }
      _ = try requireMonitor(row)
      return MachineDirectory(home.machine(row.uid)).monitorSocket
    }
  }

  /// The directory of a machine: its logs, its sockets, its monitor's records.
  ///
  /// - Throws: `EngineError` `not-found`.
  public func machineDirectory(_ machine: String) async throws -> String {
    let id = ResourceID(.virtualMachine, machine)
    return try await wrapped("find the directory of \(id)") { [self] in
      home.machine(try store.read { db in try StoredResource.require(db, id) }.uid)
    }
  }

  /// The host's address and port that lead to a TCP port of a guest; nil where none does.
  ///
  /// - Throws: `EngineError` `not-found`.
  public func forwardedPort(
    _ machine: String, guestPort: Int
  ) async throws -> (address: String, port: Int)? {
    let id = ResourceID(.virtualMachine, machine)
    return try await wrapped("find the ports of \(id)") { [self] in
      try store.read { db in
        let row = try StoredResource.require(db, id)
        let ports = try Allocation.all(db, .port, owner: row.uid)
        let slot = ports.keys.sorted().first { $0.hasSuffix("/tcp/\(guestPort)") }
        guard let parts = slot.flatMap({ ports[$0] })?.split(separator: ":"), parts.count == 3,
          let port = Int(parts[2])
        else { return nil }
        return (String(parts[1]), port)
      }
    }
  }

  /// Which accelerator guests get on this host, `kvm` or `tcg`, and why.
  ///
  /// - Throws: `EngineError` where QEMU is missing or too old.
  public func acceleratorChoice() async throws -> (name: String, reason: String) {
    try await wrapped("find out the accelerator") { [self] in
      let choice = try accelerator()
      return (choice.accelerator.rawValue, choice.reason)
    }
  }
}

extension MachineVerb {
  /// The word for it.
  var word: String {
    switch self {
    case .start: "start"
    case .stop: "stop"
    case .reboot: "reboot"
    case .pause: "pause"
    case .resume: "resume"
    }
  }
}
