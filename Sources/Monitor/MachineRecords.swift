internal import JSON
internal import Supervision
public import SystemIO

/// Which process is the guest: durable before the guest executes its first instruction.
public struct StartedRecord: Hashable, Sendable {
  /// QEMU's process.
  public var process: ProcessIdentity
  /// When it started.
  public var time: Timestamp
  /// `MonitorConfiguration.generation` of what it was started with.
  public var generation: String
  /// What runs its instructions: `kvm` or `tcg`.
  public var accelerator: String
  /// Where this boot's output begins, in bytes from the start of `console.log`; below zero where
  /// it begins in `console.log.1`, that many bytes before its end.
  public var consoleStart: Int
  /// Its network cards whose cables lead into networks.
  public var taps: [GuestTap]

  init(
    process: ProcessIdentity, time: Timestamp, generation: String, accelerator: String,
    consoleStart: Int, taps: [GuestTap]
  ) {
    self.consoleStart = consoleStart
    self.taps = taps
    self.process = process
    self.time = time
    self.generation = generation
    self.accelerator = accelerator
  }

  var json: JSONValue {
    var object: JSONObject = ["version": 1]
    for member in process.json.members { object[member.name] = member.value }
    object["time"] = time.json
    object["generation"] = .string(generation)
    object["accelerator"] = .string(accelerator)
    object["consoleStart"] = .integer(Int64(consoleStart))
    object["taps"] = .array(taps.map(\.json))
    return .object(object)
  }

  init(_ reader: JSONReader) throws(JSONShapeError) {
    process = try ProcessIdentity(reader)
    time = try Timestamp(json: reader.member("time"))
    generation = try reader.member("generation").string()
    accelerator = try reader.member("accelerator").string()
    consoleStart = try reader.member("consoleStart").integer()
    taps = []
    // A guest started before there were taps has none.
    for item in try reader.optional("taps")?.list() ?? [] { taps.append(try GuestTap(item)) }
  }
}

/// How a guest's run ended.
public struct ExitRecord: Hashable, Sendable {
  /// Why it ended; the first terminal cause counts.
  public enum Cause: String, Hashable, Sendable, CaseIterable {
    /// The guest powered itself off, by itself or when asked to.
    case guestShutdown = "guest-shutdown"
    /// The guest reset itself where resets end the process.
    case guestReset = "guest-reset"
    /// The guest's kernel panicked.
    case guestPanic = "guest-panic"
    /// QEMU got a signal that made it end in order.
    case hostSignal = "host-signal"
    /// QEMU was told to quit through QMP.
    case hostQuit = "host-qmp-quit"
    /// A signal killed QEMU: see `signal`.
    case killed
    /// QEMU failed: see `status` and `detail`.
    case error
    /// Nobody saw it end.
    case unknown
  }

  /// Why it ended.
  public var cause: Cause
  /// The signal, where one killed it.
  public var signal: Int32?
  /// QEMU's exit status, where it ended by itself.
  public var status: Int32?
  /// What was asked for, where the end was on request: `stop`, `kill`, `reboot`.
  public var request: String?
  /// The last lines of QEMU's stderr, or what else is known; may be empty.
  public var detail: String
  /// When it started, where that is known.
  public var started: Timestamp?
  /// When its end was seen.
  public var time: Timestamp
  /// `MonitorConfiguration.generation` of what had run.
  public var generation: String

  /// Whether the end counts as a failure for `RunStrategy.rerunOnFailure`.
  public var isFailure: Bool {
    switch cause {
    case .guestShutdown, .guestReset, .hostQuit: false
    case .guestPanic, .hostSignal, .killed, .error, .unknown: request == nil
    }
  }

  /// The end in words: `guest-panic`, `killed by signal 9`.
  public var summary: String {
    switch cause {
    case .killed: "killed by signal \(signal.map(String.init) ?? "unknown")"
    case .error: "QEMU failed with status \(status.map(String.init) ?? "unknown")"
    default: cause.rawValue
    }
  }

  var json: JSONValue {
    [
      "version": 1, "cause": .string(cause.rawValue), "signal": JSONValue(signal.map(Int.init)),
      "status": JSONValue(status.map(Int.init)), "request": JSONValue(request),
      "detail": .string(detail), "started": started?.json ?? .null, "time": time.json,
      "generation": .string(generation),
    ]
  }

  init(
    cause: Cause, signal: Int32? = nil, status: Int32? = nil, request: String? = nil,
    detail: String = "", started: Timestamp?, time: Timestamp, generation: String
  ) {
    self.cause = cause
    self.signal = signal
    self.status = status
    self.request = request
    self.detail = detail
    self.started = started
    self.time = time
    self.generation = generation
  }

  init(_ reader: JSONReader) throws(JSONShapeError) {
    let started: Timestamp?
    if let time = reader.optional("started") {
      started = try Timestamp(json: time)
    } else {
      started = nil
    }
    self.init(
      cause: try reader.member("cause").choice(Cause.self),
      signal: try reader.optional("signal")?.integer(),
      status: try reader.optional("status")?.integer(),
      request: try reader.optional("request")?.string(),
      detail: try reader.member("detail").string(), started: started,
      time: try Timestamp(json: reader.member("time")),
      generation: try reader.member("generation").string())
  }
}

extension Timestamp {
  /// Seconds and nanoseconds, which every reader keeps.
  var json: JSONValue { [.integer(seconds), .integer(Int64(nanoseconds))] }

  init(json reader: JSONReader) throws(JSONShapeError) {
    let parts = try reader.list()
    guard parts.count == 2 else {
      throw JSONShapeError(path: reader.path, expected: "seconds and nanoseconds")
    }
    self.init(
      seconds: try parts[0].integer(), nanoseconds: try parts[1].integer(0...999_999_999))
  }
}
