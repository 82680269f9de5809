public import JSON
public import Resources

/// Everything an engine holds, at one moment.
public struct ObservedState: Sendable, Hashable {
  /// Names the engine's store; a saved plan is good for no other.
  public var engineID: String
  /// Counts the changes of the store; a plan made at another generation is stale.
  public var generation: Int64
  /// The resources, sorted by address; the built-in `default` ones are among them.
  public var resources: [ObservedResource]
  /// What the host has.
  public var host: HostCapacity
  /// Fields of machines that this engine can't provide, by path prefix, with the reason; the
  /// planner refuses them.
  public var unsupported: [Unsupported]

  /// Something the engine can't do.
  public struct Unsupported: Sendable, Hashable {
    /// The kind.
    public var kind: Kind
    /// The field's path, such as `spec.mode`.
    public var path: String
    /// The values refused, in text form; empty refuses any value.
    public var values: [String]
    /// Why, and the way round.
    public var reason: String
    /// Describes it.
    public init(kind: Kind, path: String, values: [String], reason: String) {
      self.kind = kind
      self.path = path
      self.values = values
      self.reason = reason
    }
  }

  /// Makes an observation.
  public init(
    engineID: String, generation: Int64, resources: [ObservedResource], host: HostCapacity,
    unsupported: [Unsupported] = []
  ) {
    self.engineID = engineID
    self.generation = generation
    self.resources = resources.sorted { $0.resource.id < $1.resource.id }
    self.host = host
    self.unsupported = unsupported
  }
}

/// What the host can give to guests.
public struct HostCapacity: Sendable, Hashable {
  /// Processors in thousandths.
  public var cpuMillicores: Int64
  /// Memory in bytes.
  public var memory: Int64
  /// Processors that one guest can have at most.
  public var maximumCPUsPerMachine: Int64
  /// TCP and UDP host ports in use by others, as `tcp:127.0.0.1:8080`, where the engine could tell.
  public var portsInUse: [String]

  /// Makes a capacity.
  public init(
    cpuMillicores: Int64, memory: Int64, maximumCPUsPerMachine: Int64 = 255,
    portsInUse: [String] = []
  ) {
    self.cpuMillicores = cpuMillicores
    self.memory = memory
    self.maximumCPUsPerMachine = maximumCPUsPerMachine
    self.portsInUse = portsInUse
  }
}

/// A resource as the engine holds it.
public struct ObservedResource: Sendable, Hashable {
  /// Where a resource is in its life.
  public enum Phase: String, Sendable {
    /// An act on it was begun and not finished; the next act resumes it.
    case incomplete
    /// It is as its specification says.
    case ready
    /// It is there, but broken; `reason` says how.
    case failed
  }

  /// The resource with the specification applied last.
  public var resource: Resource
  /// Its identity in the store; a resource made anew under the same name has another.
  public var uid: String
  /// Counts the changes of its specification.
  public var generation: Int64
  /// When it was made, in seconds since 1970.
  public var created: Int64
  /// Where it is in its life.
  public var phase: Phase
  /// Why it isn't ready; nil where it is.
  public var reason: String?
  /// Whether it was there without being declared (`default`).
  public var isBuiltIn: Bool
  /// A digest of what an image was built from; nil elsewhere.
  public var inputs: String?
  /// What a machine does; nil for other kinds.
  public var machine: MachineStatus?
  /// What is not as it was applied last, because it was changed by another way.
  ///
  /// Always empty while an act on it is under way.
  public var drift: [Drift]
  /// Everything else there is to tell, for `describe` and `-o json`: digests, paths, sizes.
  public var details: JSONValue

  /// Makes an observation.
  public init(
    _ resource: Resource, uid: String, generation: Int64 = 1, created: Int64 = 0,
    phase: Phase = .ready, reason: String? = nil, isBuiltIn: Bool = false, inputs: String? = nil,
    machine: MachineStatus? = nil, drift: [Drift] = [], details: JSONValue = [:]
  ) {
    self.resource = resource
    self.uid = uid
    self.generation = generation
    self.created = created
    self.phase = phase
    self.reason = reason
    self.isBuiltIn = isBuiltIn
    self.inputs = inputs
    self.machine = machine
    self.drift = drift
    self.details = details
  }
}

/// What a machine does at the moment.
public struct MachineStatus: Sendable, Hashable {
  /// Whether the guest runs.
  public enum State: String, Sendable {
    /// No process; shut down by us, by the guest or never started.
    case halted = "Halted"
    /// The process is up, the guest does not run yet.
    case starting = "Starting"
    /// The guest runs.
    case running = "Running"
    /// The guest is stopped in its tracks.
    case paused = "Paused"
    /// The process is asked to end.
    case stopping = "Stopping"
    /// It ended by itself and not as asked: panic, signal, QEMU error.
    case crashed = "Crashed"
    /// It ended and waits for its restart.
    case backOff = "BackOff"
    /// The process lives but does not answer.
    case unresponsive = "Unresponsive"
  }

  /// Whether the guest runs.
  public var state: State
  /// Whether the readiness probe succeeded (or there is none and the guest runs).
  public var isReady: Bool
  /// What readiness waits for, or why the machine is in its state.
  public var reason: String?
  /// Addresses of the guest, as far as the guest agent or the network told.
  public var addresses: [String]
  /// When the state began, in seconds since 1970.
  public var since: Int64?
  /// QEMU's process, where there is one.
  public var processID: Int32?
  /// `kvm` or `tcg`, while it runs.
  public var accelerator: String?
  /// Fields applied but not in effect until the next boot.
  public var restartRequired: [String]
  /// Networks that the guest is on until its next boot, though it is declared to be on them no more;
  /// those of mode `user` are a part of the guest and not among them.
  public var networksLeft: [String]
  /// How often it was restarted since it was started by a command.
  public var restarts: Int
  /// Whether the guest agent is connected.
  public var hasAgent: Bool
  /// How far the guest came in this boot; nil while it is down or where its console can't tell.
  public var boot: BootProgress?
  /// What the running guest's machine has room for; nil where none runs or it can't be asked.
  public var live: LiveState?

  /// Makes a status.
  public init(
    state: State, isReady: Bool = false, reason: String? = nil, addresses: [String] = [],
    since: Int64? = nil, processID: Int32? = nil, accelerator: String? = nil,
    restartRequired: [String] = [], networksLeft: [String] = [], restarts: Int = 0,
    hasAgent: Bool = false, boot: BootProgress? = nil, live: LiveState? = nil
  ) {
    self.state = state
    self.isReady = isReady
    self.reason = reason
    self.addresses = addresses
    self.since = since
    self.processID = processID
    self.accelerator = accelerator
    self.restartRequired = restartRequired
    self.networksLeft = networksLeft
    self.restarts = restarts
    self.hasAgent = hasAgent
    self.boot = boot
    self.live = live
  }
}
