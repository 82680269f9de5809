internal import EngineInterface
internal import GRDB
internal import JSON
internal import Monitor
internal import QEMU
internal import Resources
internal import Supervision
internal import Synchronization
internal import SystemIO

/// What a look at a machine's processes gave.
struct Examined: Sendable {
  var status: MachineStatus
  /// The mark of what the running guest was started with.
  var running: StartMark?
  /// What the running guest's machine is made of; nil where it can't be asked.
  var hardware: Hardware?
}

extension EmbeddedEngine {
  /// Looks at all machines that are not known to be down, several at a time.
  ///
  /// Guests without a monitor get one, ends are recorded, the monitors' journals become events.
  func examineMachines() throws -> [String: Examined] {
    let rows = try store.read(StoredMachine.notDown)
    if rows.isEmpty { return [:] }
    let found = Mutex<[String: Examined]>([:])
    try Offload.forEach(rows.count) { [self] index in
      let result = try examine(rows[index])
      found.withLock { $0[rows[index].uid] = result }
    }
    return found.withLock { $0 }
  }

  private func examine(_ row: StoredMachine) throws -> Examined {
    let directory = MachineDirectory(home.machine(row.uid))
    let isActedOn = try store.read { db in
      try Intent.all(db).contains { intent in
        guard intent.uid == row.uid else { return false }
        return try Session.isAlive(intent.session, home: home)
      }
    }
    // Who acts on it tells how it ends; to look on is all that's left.
    if isActedOn {
      guard let client = try connectMonitor(row.uid), let status = try? client.status() else {
        return Examined(status: MachineStatus(row))
      }
      return examined(directory, status, client)
    }
    guard fileExists(directory.path) else { return try settle(row, .halted, nil) }
    do {
      if let client = try attachMonitor(row.uid, restarting: true) {
        let status = try answered { () throws(RPCError) in try client.status() }
        if status.sequence > row.journalSequence {
          try whereItCanBeWritten { try replayJournal(row.uid) }
        }
        if status.state != .stopped { return examined(directory, status, client) }
      }
    } catch {
      if let look = try unreachable(row, EngineError.wrapping(error).message) { return look }
    }
    try whereItCanBeWritten { try replayJournal(row.uid) }
    if let look = try unreachable(row, "its monitor ended") { return look }
    guard case .ended(let end) = try report(directory).guest else {
      return try settle(row, .halted, "its start was cut short")
    }
    let reason = [end.summary, end.detail, panicLine(directory, after: end)]
      .filter { !$0.isEmpty }.joined(separator: ": ")
    return try settle(row, end.isFailure ? .crashed : .halted, reason, at: end.time.seconds)
  }

  private func examined(
    _ directory: MachineDirectory, _ status: MonitorStatus, _ client: MonitorClient
  ) -> Examined {
    var machine = MachineStatus(status)
    machine.boot = bootProgress(directory, status)
    if status.state == .backoff, let end = status.lastExit {
      let panic = panicLine(directory, after: end)
      if !panic.isEmpty { machine.reason = "restarts after: \(end.summary): \(panic)" }
    }
    return Examined(
      status: machine, running: status.started.map { StartMark($0.generation) },
      hardware: hardware(client, status))
  }

  /// What a running guest's machine is made of.
  ///
  /// Where QEMU does not answer its status says so; nothing can be promised then.
  private func hardware(_ client: MonitorClient, _ status: MonitorStatus) -> Hardware? {
    guard status.state == .running || status.state == .paused else { return nil }
    return try? client.hardware()
  }

  /// The look at a machine whose guest no monitor tells of; nil where it has ended for good.
  private func unreachable(_ row: StoredMachine, _ reason: String) throws -> Examined? {
    let directory = MachineDirectory(home.machine(row.uid))
    switch try report(directory).guest {
    case .neverStarted: return nil
    case .ended(let end):
      guard fileExists(directory.configuration),
        try configuration(of: directory).restarts(after: end)
      else { return nil }
      // Its monitor died over the restart, which is gone on with once another can be started.
      return Examined(status: MachineStatus(state: .crashed, reason: reason, since: row.since))
    case .vanished(let record):
      // Its end is recorded, and its run strategy followed, once a monitor can be started.
      return Examined(
        status: MachineStatus(state: .crashed, reason: reason, since: row.since),
        running: StartMark(record.generation))
    case .running(let record), .unknown(let record):
      return Examined(
        status: MachineStatus(
          state: .unresponsive, reason: reason, since: row.since,
          processID: record.process.pid, accelerator: record.accelerator),
        running: StartMark(record.generation))
    }
  }

  /// Records that nothing of a machine runs.
  ///
  /// A guest may end at any moment; that makes no plan stale, as acts look again before they act.
  private func settle(
    _ row: StoredMachine, _ state: MachineStatus.State, _ reason: String?, at time: Int64? = nil
  ) throws -> Examined {
    let since = time ?? host.now().seconds
    try whereItCanBeWritten {
      try store.write { [self] db in
        guard var current = try StoredMachine.find(db, row.uid) else { return }
        current.isDown = true
        current.state = state
        current.reason = reason
        current.since = since
        current.forgetGuest()
        try save(current, db)
      }
    }
    return Examined(status: MachineStatus(state: state, reason: reason, since: since))
  }

  /// Turns what a monitor journaled since the last look into events.
  func replayJournal(_ uid: String) throws {
    let directory = MachineDirectory(home.machine(uid))
    guard let row = try store.read({ db in try StoredMachine.find(db, uid) }) else { return }
    let entries = try JournalEntry.read(directory, after: row.journalSequence)
    guard let last = entries.last else { return }
    try store.write { db in
      guard var current = try StoredMachine.find(db, uid) else { return }
      let id = try StoredResource.address(db, uid: uid)
      for entry in entries where entry.sequence > current.journalSequence {
        guard let (reason, message) = entry.told else { continue }
        try StoredEvent.add(
          db,
          StoredEvent.Entry(
            time: entry.time.seconds, id: id, reason: reason, message: message))
      }
      current.journalSequence = max(current.journalSequence, last.sequence)
      try current.save(db)
    }
  }
}

extension JournalEntry {
  /// The event that an entry makes; nil for what is of no interest to a user.
  fileprivate var told: (reason: String, message: String)? {
    switch kind {
    case "running":
      return ("Started", "the guest runs, by \(data["accelerator"]?.string ?? "unknown means")")
    case "adopted": return ("Adopted", "a new monitor has taken up the running guest")
    case "ready": return ("Ready", "the readiness probe succeeded")
    case "unready": return ("NotReady", data["reason"]?.string ?? "the guest is not ready")
    case "exited":
      let asked = data["request"]?.string.map { ", as asked by \($0)" } ?? ""
      let detail = data["detail"]?.string.flatMap { $0.isEmpty ? nil : ": \($0)" } ?? ""
      return ("Exited", "\(data["cause"]?.string ?? "the guest ended")\(asked)\(detail)")
    case "restart":
      return ("BackOff", "it is started again in \(data["after"]?.integer ?? 0) ms")
    case "unresponsive": return ("Unresponsive", "QEMU does not answer")
    case "responsive": return ("Responsive", "QEMU answers again")
    case "replugged":
      return ("Replugged", "\(interface) was plugged in again: its network had to be made anew")
    case "replug-waits", "replug-failed":
      let reason = data["reason"]?.string ?? "unknown"
      return ("NotReplugged", "\(interface) is not plugged in again yet: \(reason)")
    default: return nil
    }
  }

  /// The interface it is about, by its name in the manifest: QEMU's has a prefix.
  private var interface: String {
    let name = data["interface"]?.string ?? ""
    return "interface \(name.hasPrefix("net-") ? String(name.dropFirst(4)) : name)"
  }
}

extension MachineStatus {
  /// What a monitor says.
  init(_ status: MonitorStatus) {
    let state: State
    switch status.state {
    case .starting: state = .starting
    case .running: state = status.isStopping ? .stopping : .running
    case .paused: state = .paused
    case .unresponsive: state = .unresponsive
    case .backoff: state = .backOff
    case .stopped: state = .halted
    }
    var reason: String?
    if status.state == .backoff {
      reason = status.lastExit.map { "restarts after: \($0.summary)" }
    } else if !status.isReady, !status.readyProblem.isEmpty {
      reason = status.readyProblem
    }
    self.init(
      state: state, isReady: status.isReady, reason: reason,
      addresses: status.addresses.map(\.address),
      since: status.started?.time.seconds ?? status.lastExit?.time.seconds,
      processID: status.started?.process.pid, accelerator: status.started?.accelerator,
      restarts: status.restarts, hasAgent: status.hasAgent)
  }
}
