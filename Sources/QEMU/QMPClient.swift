public import JSON
public import SystemIO

/// A QMP conversation that blocks its thread: for probes and tests; the monitor has its own.
public final class QMPClient {
  private let socket: Descriptor
  private let host: HostContext
  private var session = QMPSession()
  private var messages: [QMPSession.Message] = []
  /// QEMU's version, as its greeting told it.
  public private(set) var version = ""
  /// The events that have come, in order.
  public private(set) var events: [QMPEvent] = []

  /// Waits for the greeting and negotiates.
  ///
  /// - Parameter socket: connected and non-blocking.
  /// - Throws: `QMPError`, `SystemError`.
  public init(_ socket: Descriptor, host: HostContext, milliseconds: Int) throws {
    self.socket = socket
    self.host = host
    let deadline = host.uptime() + UInt64(milliseconds) * 1_000_000
    while version.isEmpty {
      switch try next(until: deadline, "greeting", milliseconds) {
      case .greeting(let version): self.version = version
      case .event(let event): events.append(event)
      case .reply: break
      }
    }
    _ = try execute("qmp_capabilities", milliseconds: milliseconds)
  }

  /// Sends a command and waits for its answer; events that come meanwhile are kept.
  ///
  /// - Throws: `QMPError`, `SystemError`.
  public func execute(
    _ command: String, _ arguments: JSONObject = JSONObject(), milliseconds: Int = 5000
  ) throws -> JSONValue {
    let (id, bytes) = session.encode(command, arguments)
    let deadline = host.uptime() + UInt64(milliseconds) * 1_000_000
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = try StreamSocket.send(rest, on: socket)
      rest = rest.dropFirst(count)
      if count == 0 { try wait(until: deadline, forWriting: true, command, milliseconds) }
    }
    while true {
      switch try next(until: deadline, command, milliseconds) {
      case .reply(id, let result): return try result.get()
      case .event(let event): events.append(event)
      case .reply, .greeting: break
      }
    }
  }

  private func next(
    until deadline: UInt64, _ command: String, _ milliseconds: Int
  ) throws -> QMPSession.Message {
    while messages.isEmpty {
      if let bytes = try StreamSocket.receive(from: socket) {
        if bytes.isEmpty { throw QMPError.closed(command: command) }
        messages = try session.receive(bytes)
      } else {
        try wait(until: deadline, forWriting: false, command, milliseconds)
      }
    }
    return messages.removeFirst()
  }

  private func wait(
    until deadline: UInt64, forWriting: Bool, _ command: String, _ milliseconds: Int
  ) throws {
    let now = host.uptime()
    guard now < deadline else {
      throw QMPError.timeout(command: command, milliseconds: milliseconds)
    }
    var entries = [PollEntry(socket.raw, wantsRead: !forWriting, wantsWrite: forWriting)]
    try poll(&entries, milliseconds: Int32(clamping: (deadline - now) / 1_000_000 + 1))
  }
}
