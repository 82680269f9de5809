/// What a network's supervisor says about it now.
public struct NetworkStatus: Hashable, Sendable {
  /// How far it is.
  public enum State: String, Hashable, Sendable, CaseIterable {
    /// It is as configured.
    case up
    /// It is being built, or built again.
    case building
    /// It can't be built; `problem` says why. It is tried again.
    case failed
  }

  /// One of the processes that the network consists of.
  public struct Process: Hashable, Sendable {
    /// `gate`, `names` or `uplink`.
    public var name: String
    /// Its process id; nil while it does not run.
    public var pid: Int32?
    /// How often it was started again.
    public var restarts: Int

    /// Describes a process.
    public init(name: String, pid: Int32?, restarts: Int) {
      self.name = name
      self.pid = pid
      self.restarts = restarts
    }
  }

  /// An address that a guest asked for and got.
  public struct Lease: Hashable, Sendable {
    /// The guest's hardware address; empty where it gave none.
    public var mac: String
    /// The IPv4 or IPv6 address.
    public var address: String
    /// The name it was given; empty where there is none.
    public var name: String
    /// When it ends, in seconds since 1970; nil for never.
    public var expires: Int64?

    /// Describes a lease.
    public init(mac: String, address: String, name: String, expires: Int64?) {
      self.mac = mac
      self.address = address
      self.name = name
      self.expires = expires
    }
  }

  /// An interface on the network, seen from the guest.
  public struct Port: Hashable, Sendable {
    /// `MACHINEUID/INTERFACE`.
    public var id: String
    /// Its tap's name.
    public var tap: String
    /// Whether a machine holds the tap.
    public var isPlugged: Bool
    /// Bytes the guest received.
    public var receivedBytes: UInt64
    /// Packets the guest received.
    public var receivedPackets: UInt64
    /// Bytes the guest sent.
    public var sentBytes: UInt64
    /// Packets the guest sent.
    public var sentPackets: UInt64

    /// Describes an interface.
    public init(
      id: String, tap: String, isPlugged: Bool, receivedBytes: UInt64 = 0,
      receivedPackets: UInt64 = 0, sentBytes: UInt64 = 0, sentPackets: UInt64 = 0
    ) {
      self.id = id
      self.tap = tap
      self.isPlugged = isPlugged
      self.receivedBytes = receivedBytes
      self.receivedPackets = receivedPackets
      self.sentBytes = sentBytes
      self.sentPackets = sentPackets
    }
  }

  /// A forward that does not work now.
  public struct ForwardProblem: Hashable, Sendable {
    /// The port it leads to.
    public var port: String
    /// The forward.
    public var forward: NetworkConfiguration.Forward
    /// Why it does not work; it is tried again.
    public var problem: String

    /// Describes a forward that does not work.
    public init(port: String, forward: NetworkConfiguration.Forward, problem: String) {
      self.port = port
      self.forward = forward
      self.problem = problem
    }
  }

  /// How far it is.
  public var state: State
  /// Why it is not up, or what of it does not work; empty where all is well.
  public var problem: String
  /// The network namespace's inode number; 0 while there is none.
  public var namespace: UInt64
  /// Its processes.
  public var processes: [Process]
  /// Who holds which address.
  public var leases: [Lease]
  /// The interfaces on it.
  public var ports: [Port]
  /// The forwards that do not work.
  public var forwardProblems: [ForwardProblem]

  /// Describes a network.
  public init(
    state: State, problem: String = "", namespace: UInt64 = 0, processes: [Process] = [],
    leases: [Lease] = [], ports: [Port] = [], forwardProblems: [ForwardProblem] = []
  ) {
    self.state = state
    self.problem = problem
    self.namespace = namespace
    self.processes = processes
    self.leases = leases
    self.ports = ports
    self.forwardProblems = forwardProblems
  }
}
