internal import Glibc
internal import JSON
internal import QEMU
internal import Supervision
internal import SystemIO

/// One guest's supervisor: starts it, watches it, tells why it ended, starts it again.
///
/// Everything here runs on the one thread of the event loop.
final class Supervisor {
  /// What the guest is doing.
  enum State: String {
    /// QEMU is being started.
    case starting
    /// The guest runs.
    case running
    /// The guest is stopped between two instructions.
    case paused
    /// It is down and will be started again.
    case backoff
    /// It is down.
    case stopped
  }

  let directory: MachineDirectory
  let host: HostContext
  let loop: EventLoop
  let journal: Journal
  let console: Console
  let log: ServiceLog
  let work: BackgroundWork
  /// The connections to the networks that the guest has network cards on.
  var links: [NetworkLink] = []
  /// The network cards that are being plugged in anew.
  var replugs: [Replug] = []
  var configuration: MonitorConfiguration
  var state = State.stopped
  var isSilent = false
  var process: ProcessHandle?
  var started: StartedRecord?
  var lastExit: ExitRecord?
  var qmp: QMPChannel?
  var agent: AgentChannel?
  /// Whether this monitor killed it.
  var wasKilled = false
  /// QEMU's own word for what the guest does: `io-error`, `internal-error`, `paused`.
  var detail = ""
  /// The first terminal cause that QEMU named.
  var shutdownReason: String?
  var isDraining = false
  /// Why the guest could not be made to run, where that is known better than by QEMU's stderr.
  var startProblem: String?
  var startTimer: EventLoop.Timer?
  /// What was asked for that ends this run.
  var request: String?
  var stopping: StopRequest?
  var afterExit: [(Result<JSONValue, RPCError>) -> Void] = []
  var afterReboot: [(Result<JSONValue, RPCError>) -> Void] = []
  var endsInARow = 0
  var restartTimer: EventLoop.Timer?
  /// When a command last began to change the machine.
  var changedTime: UInt64?
  var heartbeatTimer: EventLoop.Timer?
  var addressTimer: EventLoop.Timer?
  /// Since when this run lasts; nil where it never began.
  var runningSince: UInt64?
  /// Since when the guest is known to be up: its agent was heard, or its readiness probe succeeded.
  var upSince: UInt64?
  var restarts = 0
  var addresses: JSONValue = []
  var probes: ProbeRunner?
  var isReady = false
  var readyProblem = ""
  /// Told once when the first start succeeded or failed, or is waited for: then without a record.
  var onFirstStart: (Result<StartedRecord?, MonitorError>) -> Void = { _ in }
  /// Told what was journaled.
  var onJournal: (JournalEntry) -> Void = { _ in }
  /// Told when there is nothing left to supervise.
  var onFinished: () -> Void = {}

  init(
    _ directory: MachineDirectory, host: HostContext, loop: EventLoop, log: ServiceLog
  ) throws {
    self.directory = directory
    self.host = host
    self.loop = loop
    self.log = log
    work = BackgroundWork(loop)
    configuration = try MonitorConfiguration.read(directory)
    journal = try Journal(directory, host)
    console = try Console(
      loop, ConsoleLog(directory, limit: configuration.consoleLimit),
      onLogFailure: { log.write("the console's log can't be used: \($0)") })
    console.log.onBootMoved = { [unowned self] in rememberBoot() }
  }

  /// Journals what happened; what follows from it is done after this returns.
  ///
  /// - Parameter durable: false for what nothing follows from: a crash of the host may lose it.
  func note(_ kind: String, _ data: JSONValue = [:], durable: Bool = true) {
    do {
      onJournal(try journal.append(kind, data, durable: durable))
    } catch {
      // A full disk must not stop a running guest; the records of start and end are tried anyway.
      log.write("'\(kind)' is not in the journal: \(error)")
    }
  }

  /// Takes up the guest as it is found, and starts it where it is down.
  ///
  /// - Parameter adoptOnly: a guest that is found down is not started but by its run strategy.
  func begin(adoptOnly: Bool) throws {
    lastExit = try MachineReport.readExit(directory)
    if let record = try MachineReport.readStarted(directory) {
      if let handle = try record.process.open(currentBootID: host.bootID) {
        return try adopt(record, handle)
      }
      started = record
      endRun(
        ExitRecord(
          cause: .unknown, detail: "it ended while no monitor was there to see it",
          started: record.time, time: host.now(), generation: record.generation))
      if adoptOnly {
        // The caller wanted the truth; it need not wait for a restart.
        tellFirstStart(.success(record))
        return decideRestart()
      }
    }
    if adoptOnly {
      guard let end = lastExit, configuration.restarts(after: end) else { return finish() }
      // The last monitor died between the guest's end and its restart.
      tellFirstStart(.success(nil))
      return decideRestart()
    }
    startOrFail()
  }

  /// Lets go of the guest, which goes on running; another monitor can take it up.
  func leave() {
    note("monitor-left", ["state": .string(state.rawValue)])
    console.disconnect()
    closeLinks()
    loop.stop()
  }

  /// Ends the monitor: the guest is down and stays down.
  func finish() {
    state = .stopped
    console.detachAll()
    onFinished()
  }
}
