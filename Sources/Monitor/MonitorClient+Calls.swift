public import JSON
public import QEMU
public import Supervision

extension MonitorClient {
  /// What the guest does and how it is.
  public func status() throws(RPCError) -> MonitorStatus {
    let value = try call("status")
    return try decoded { () throws(JSONShapeError) in try MonitorStatus(JSONReader(value)) }
  }

  /// Brings the guest down: power button, agent at half the time, kill at its end.
  ///
  /// Blocks until the process is gone and the end is recorded.
  /// - Parameter grace: milliseconds; nil for the configuration's.
  /// - Returns: how it ended; nil where it was down and had never run.
  public func stop(grace: Int? = nil) throws(RPCError) -> ExitRecord? {
    let limit: Int
    if let grace {
      limit = grace
    } else {
      // The monitor's own deadline must come first.
      limit = 86_400_000
    }
    let params: JSONObject = grace.map { ["grace": .integer(Int64($0))] } ?? [:]
    return try exitRecord(try call("stop", params, milliseconds: limit + 30_000))
  }

  /// Ends the guest at once, and waits until it is recorded.
  public func kill() throws(RPCError) -> ExitRecord? {
    try exitRecord(try call("kill", milliseconds: 30_000))
  }

  /// Restarts the guest's system and waits for it.
  ///
  /// - Parameters:
  ///   - force: reset it at once.
  ///   - grace: milliseconds until a guest that was asked is reset; nil for the configuration's.
  public func reboot(force: Bool = false, grace: Int? = nil) throws(RPCError) {
    var params: JSONObject = ["force": .bool(force)]
    if let grace { params["grace"] = .integer(Int64(grace)) }
    _ = try call("reboot", params, milliseconds: (grace ?? 86_400_000) + 60_000)
  }

  /// Stops the guest between two instructions.
  public func pause() throws(RPCError) { _ = try call("pause", milliseconds: 20_000) }

  /// Lets a paused guest go on.
  public func resume() throws(RPCError) { _ = try call("resume", milliseconds: 20_000) }

  /// Starts a guest that waits for its restart.
  public func start() throws(RPCError) { _ = try call("start") }

  /// Sends a command to the guest agent.
  public func agent(
    _ command: String, _ arguments: JSONObject = JSONObject(), milliseconds: Int = 5000
  ) throws(RPCError) -> JSONValue {
    try call(
      "agent",
      [
        "command": .string(command), "arguments": .object(arguments),
        "timeout": .integer(Int64(milliseconds)),
      ], milliseconds: milliseconds + 5000)
  }

  /// The most that `run` takes as input, in bytes: the agent gets it in one message.
  public static let inputLimit = 1 << 19

  /// Runs a command in the guest through its agent and waits for its end.
  ///
  /// - Parameter input: what it finds on its standard input, at most `inputLimit` bytes.
  public func run(
    _ command: [String], input: [UInt8] = [], milliseconds: Int = 60_000
  ) throws(RPCError) -> GuestCommandResult {
    guard input.count <= Self.inputLimit else {
      throw RPCError("the input of \(input.count) bytes is over the limit of \(Self.inputLimit)")
    }
    var params: JSONValue = [
      "command": .array(command.map(JSONValue.string)),
      "timeout": .integer(Int64(milliseconds)),
    ]
    if !input.isEmpty { params["input"] = .string(encodeBase64(input)) }
    let value = try call("exec", params.object ?? [:], milliseconds: milliseconds + 5000)
    return try decoded { () throws(JSONShapeError) in try GuestCommandResult(JSONReader(value)) }
  }

  /// Changes run strategy, waits, grace and readiness of a running guest, now and durably.
  public func setPolicy(_ configuration: MonitorConfiguration) throws(RPCError) {
    _ = try call("set-policy", configuration.policy.object ?? [:])
  }

  /// What the guest's machine is made of at the moment.
  public func hardware() throws(RPCError) -> Hardware {
    let value = try call("hardware", milliseconds: 10_000)
    return try decoded { () throws(JSONShapeError) in try Hardware(JSONReader(value)) }
  }

  /// Has a QMP command carried out; only some are.
  @discardableResult
  public func execute(_ command: QMPCommand) throws(RPCError) -> JSONValue {
    // A tap may have to wait for its network.
    try call("qmp", command.params, milliseconds: command.tap == nil ? 20_000 : 45_000)
  }

  /// Tells the guest that a disk has grown to this many bytes; QEMU grows the file.
  public func resize(disk: String, to bytes: Int) throws(RPCError) {
    try execute(
      QMPCommand("block_resize", ["node-name": .string(disk), "size": .integer(Int64(bytes))]))
  }

  /// Adds a port of the host that leads to the guest.
  public func addForward(
    _ forward: MachineSpec.HostForward, interface: String
  ) throws(RPCError) {
    _ = try call("add-forward", ["interface": .string(interface), "forward": forward.json])
  }

  /// Removes a port of the host that leads to the guest.
  public func removeForward(
    _ forward: MachineSpec.HostForward, interface: String
  ) throws(RPCError) {
    _ = try call("remove-forward", ["interface": .string(interface), "forward": forward.json])
  }

  private func exitRecord(_ value: JSONValue) throws(RPCError) -> ExitRecord? {
    if value.isNull { return nil }
    return try decoded { () throws(JSONShapeError) in try ExitRecord(JSONReader(value)) }
  }

  private func decoded<Value>(
    _ read: () throws(JSONShapeError) -> Value
  ) throws(RPCError) -> Value {
    do {
      return try read()
    } catch {
      throw RPCError("the monitor's answer makes no sense: \(error)")
    }
  }
}
