internal import JSON
internal import SystemIO

/// What a monitor says about its guest now.
public struct MonitorStatus: Hashable, Sendable {
  /// What the guest does.
  public enum State: String, Hashable, Sendable, CaseIterable {
    /// QEMU is being started.
    case starting
    /// The guest runs.
    case running
    /// The guest is stopped between two instructions.
    case paused
    /// QEMU lives and does not answer.
    case unresponsive
    /// It is down and will be started again.
    case backoff
    /// It is down.
    case stopped
  }

  /// An address of the guest, as its agent tells it.
  public struct Address: Hashable, Sendable {
    /// The guest's name of the interface.
    public var interface: String
    /// The interface's hardware address; empty where it has none.
    public var mac: String
    /// The IPv4 or IPv6 address.
    public var address: String
  }

  /// What the guest does.
  public var state: State
  /// QEMU's own word for it: `running`, `paused`, or why it can't go on: `io-error`,
  /// `internal-error`; empty while it was not asked.
  public var detail: String
  /// Whether it is being brought down.
  public var isStopping: Bool
  /// Whether it runs and its readiness probe says yes.
  public var isReady: Bool
  /// Why it is not ready; empty where it is.
  public var readyProblem: String
  /// Which process it is; nil while it is down.
  public var started: StartedRecord?
  /// How the last run ended; nil where none has.
  public var lastExit: ExitRecord?
  /// Its addresses, loopback left out; empty where the agent has told none.
  public var addresses: [Address]
  /// Whether the guest agent is connected.
  public var hasAgent: Bool
  /// How often this monitor has started it again.
  public var restarts: Int
  /// The journal's last entry.
  public var sequence: Int64

  init(_ reader: JSONReader) throws(JSONShapeError) {
    state = try reader.member("state").choice(State.self)
    detail = try reader.member("detail").string()
    isStopping = try reader.member("stopping").bool()
    isReady = try reader.member("ready").bool()
    readyProblem = try reader.member("readyProblem").string()
    if let record = reader.optional("started") { started = try StartedRecord(record) }
    if let record = reader.optional("exit") { lastExit = try ExitRecord(record) }
    hasAgent = try reader.member("agent").bool()
    restarts = try reader.member("restarts").integer()
    sequence = try reader.member("sequence").integer()
    addresses = []
    for item in try reader.member("addresses").list() {
      addresses.append(
        Address(
          interface: try item.optional("interface")?.string() ?? "",
          mac: try item.optional("mac")?.string() ?? "",
          address: try item.member("address").string()))
    }
  }
}

/// What a command run in the guest left.
public struct GuestCommandResult: Hashable, Sendable {
  /// Its exit status; nil where a signal killed it.
  public var status: Int?
  /// The signal that killed it.
  public var signal: Int?
  /// What it wrote to standard output.
  public var output: [UInt8]
  /// What it wrote to standard error.
  public var errorOutput: [UInt8]

  init(_ reader: JSONReader) throws(JSONShapeError) {
    status = try reader.optional("exitcode")?.integer()
    signal = try reader.optional("signal")?.integer()
    output = try Self.bytes(reader, "out-data")
    errorOutput = try Self.bytes(reader, "err-data")
  }

  private static func bytes(
    _ reader: JSONReader, _ name: String
  ) throws(JSONShapeError) -> [UInt8] {
    guard let member = reader.optional(name) else { return [] }
    guard let bytes = decodeBase64(try member.string()) else {
      throw JSONShapeError(path: name, expected: "Base64")
    }
    return bytes
  }
}
