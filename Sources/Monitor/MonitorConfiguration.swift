public import QEMU
public import Supervision

/// When a guest that ended is started again.
public enum RunStrategy: String, Hashable, Sendable, CaseIterable {
  /// Always, unless it was stopped on request.
  case always = "Always"
  /// After a failure or a panic, not after it shut down by itself.
  case rerunOnFailure = "RerunOnFailure"
  /// Never by itself.
  case manual = "Manual"
  /// Never; it should be down.
  case halted = "Halted"
}

/// How to find out whether a guest is ready.
public struct Probe: Hashable, Sendable {
  /// What is asked.
  public enum Check: Hashable, Sendable {
    /// Whether the guest agent answers.
    case guestAgent
    /// Whether something in the guest accepts at this address.
    case tcp(address: String, port: UInt16, through: Way)
    /// Whether a command in the guest, run by the agent, ends with status 0.
    case exec(command: [String])
    /// Whether the guest wrote this text on its console since it started; no pattern characters.
    case console(text: String)
  }

  /// How an address is reached.
  public enum Way: Hashable, Sendable {
    /// From the host itself.
    case host
    /// From the host, at a port that QEMU's user network forwards.
    ///
    /// QEMU accepts in the guest's place; the guest's own answer is waited for.
    case userNetwork
    /// From within the network whose directory has this path.
    case network(String)
  }

  /// What is asked.
  public var check: Check
  /// Milliseconds from the guest's start to the first question.
  public var initialDelay: Int
  /// Milliseconds between questions.
  public var period: Int
  /// Milliseconds until a question counts as failed.
  public var timeout: Int
  /// Successes in a row that make the guest ready.
  public var successThreshold: Int
  /// Failures in a row that make it not ready any more.
  public var failureThreshold: Int

  /// Describes a probe.
  public init(
    _ check: Check, initialDelay: Int = 0, period: Int = 2000, timeout: Int = 2000,
    successThreshold: Int = 1, failureThreshold: Int = 3
  ) {
    self.check = check
    self.initialDelay = initialDelay
    self.period = period
    self.timeout = timeout
    self.successThreshold = successThreshold
    self.failureThreshold = failureThreshold
  }
}

/// What a monitor is to run and how; the engine writes it to `MachineDirectory.configuration`.
///
/// It is read again before each start, so that changes staged meanwhile take effect with the next
/// boot.
public struct MonitorConfiguration: Hashable, Sendable {
  /// The resource's own identity, for messages and records.
  public var machineID: String
  /// The engine's mark for this version of the machine; it comes back in `StartedRecord`.
  public var generation: String
  /// QEMU's executable.
  public var qemu: String
  /// Where `ingot-network` is; needed for network cards on taps.
  public var networkExecutable: String?
  /// The machine.
  public var machine: MachineSpec
  /// When the guest is started again.
  public var strategy: RunStrategy
  /// How long to wait before that.
  public var restartDelay: RestartDelay
  /// Milliseconds from a request to stop until the guest is killed.
  public var grace: Int
  /// How readiness is found out; without a probe a running guest is ready.
  public var readiness: Probe?
  /// The most bytes in each of the console's two log files.
  public var consoleLimit: Int
  /// Milliseconds QEMU may take until it runs the guest; it is killed then.
  public var startLimit: Int
  /// Milliseconds between questions for the guest's addresses.
  public var addressPeriod: Int

  /// Whether a guest that ended is to be started again.
  public func restarts(after end: ExitRecord) -> Bool {
    // The reboot of a guest that has no agent: it is powered off and started.
    if end.request == "reboot" { return true }
    guard end.request == nil else { return false }
    switch strategy {
    case .always: return true
    case .rerunOnFailure: return end.isFailure
    case .manual, .halted: return false
    }
  }

  /// Describes what to run.
  public init(
    machineID: String, generation: String, qemu: String, machine: MachineSpec,
    strategy: RunStrategy = .manual, restartDelay: RestartDelay = RestartDelay(),
    grace: Int = 60_000, readiness: Probe? = nil, consoleLimit: Int = 1 << 20,
    startLimit: Int = 60_000, addressPeriod: Int = 10_000, networkExecutable: String? = nil
  ) {
    self.machineID = machineID
    self.generation = generation
    self.qemu = qemu
    self.machine = machine
    self.strategy = strategy
    self.restartDelay = restartDelay
    self.grace = grace
    self.readiness = readiness
    self.consoleLimit = consoleLimit
    self.startLimit = startLimit
    self.addressPeriod = addressPeriod
    self.networkExecutable = networkExecutable
  }
}
