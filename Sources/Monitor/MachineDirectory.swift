/// The files of one machine's directory; the one place that names them.
///
/// | file | written by | what it is |
/// | --- | --- | --- |
/// | `monitor.json` | engine, durably | `MonitorConfiguration` |
/// | `monitor.lock` | monitor | held while a monitor runs |
/// | `monitor.sock` | monitor | the RPC; mode 0600 |
/// | `monitor.log` | monitor | what it had to say, for people |
/// | `qmp.sock` | monitor | QEMU's QMP socket; one client, the monitor |
/// | `console.sock` | monitor | QEMU's end of the serial console |
/// | `agent.sock` | monitor | QEMU's end of the guest agent's channel |
/// | `qemu.log` | QEMU | its stderr; bounded by the monitor |
/// | `console.log` | QEMU | what the guest wrote; bounded by the monitor |
/// | `console.log.1` | monitor | the part of it before |
/// | `started` | monitor, durably | `StartedRecord`: which process is the guest |
/// | `exit` | monitor, durably | `ExitRecord`: how the last run ended |
/// | `journal`, `journal.1` | monitor, durably | `JournalEntry` lines, the newer first |
public struct MachineDirectory: Hashable, Sendable {
  /// The directory.
  public let path: String

  /// Names a directory, which belongs to one machine alone.
  public init(_ path: String) { self.path = path }

  /// What the monitor is to do.
  public var configuration: String { path + "/monitor.json" }
  /// Held while a monitor runs.
  public var lock: String { path + "/monitor.lock" }
  /// The monitor's RPC.
  public var monitorSocket: String { path + "/monitor.sock" }
  /// What the monitor had to say.
  public var monitorLog: String { path + "/monitor.log" }
  /// QEMU's QMP socket.
  public var qmpSocket: String { path + "/qmp.sock" }
  /// QEMU's end of the serial console.
  public var consoleSocket: String { path + "/console.sock" }
  /// QEMU's end of the agent's channel.
  public var agentSocket: String { path + "/agent.sock" }
  /// QEMU's stderr.
  public var qemuLog: String { path + "/qemu.log" }
  /// What the guest wrote on its serial console.
  public var consoleLog: String { path + "/console.log" }
  /// The part of it before.
  public var olderConsoleLog: String { path + "/console.log.1" }
  /// Which process is the guest.
  public var started: String { path + "/started" }
  /// How the last run ended.
  public var exit: String { path + "/exit" }
  /// What happened, in order.
  public var journal: String { path + "/journal" }
  /// The part of it before.
  public var olderJournal: String { path + "/journal.1" }
}
