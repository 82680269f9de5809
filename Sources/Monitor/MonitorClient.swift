public import JSON
internal import QEMU
public import SystemIO

/// A connection to a machine's monitor.
///
/// Every call blocks its thread until the answer or the deadline: to be made from threads of their
/// own, never from Swift's cooperative pool. One call at a time.
public final class MonitorClient {
  private let socket: Descriptor
  private let host: HostContext
  private var buffer = LineBuffer(limit: 1 << 24)
  private var lastID: Int64 = 0

  /// Connects to the monitor of a machine.
  ///
  /// - Throws: `SystemError`, `isNotFound` or `isRefused` where no monitor runs.
  public init(_ directory: MachineDirectory, host: HostContext) throws(SystemError) {
    socket = try StreamSocket.connect(directory.monitorSocket)
    self.host = host
  }

  /// Makes a request and waits for its answer.
  ///
  /// - Parameter milliseconds: the deadline.
  /// - Throws: `RPCError` with the monitor's reason, or where it ended or took too long.
  public func call(
    _ method: String, _ params: JSONObject = JSONObject(), milliseconds: Int = 10_000
  ) throws(RPCError) -> JSONValue {
    // To ask how a guest is changes nothing.
    if method == "status" || method == "events" {
      return try ask(method, params, milliseconds: milliseconds)
    }
    return try lastingStep("request \(method)") { () throws(RPCError) in
      try ask(method, params, milliseconds: milliseconds)
    }
  }

  private func ask(
    _ method: String, _ params: JSONObject, milliseconds: Int
  ) throws(RPCError) -> JSONValue {
    lastID += 1
    let request: JSONValue = [
      "id": .integer(lastID), "method": .string(method), "params": .object(params),
    ]
    let deadline = host.uptime() + UInt64(max(0, milliseconds)) * 1_000_000
    try send(Array((request.text() + "\n").utf8), until: deadline, method)
    while true {
      let message = try nextMessage(until: deadline, method)
      guard message["id"]?.integer == lastID else { continue }
      if let error = message["error"] {
        throw RPCError(error["message"]?.string ?? "the monitor gave no reason")
      }
      return message["result"] ?? .null
    }
  }

  /// The journal's entries after a number.
  public func events(after sequence: Int64) throws(RPCError) -> [JournalEntry] {
    let result = try call("events", ["after": .integer(sequence)])
    do {
      var entries: [JournalEntry] = []
      for item in try JSONReader(result).member("events").list() {
        entries.append(try JournalEntry(item))
      }
      return entries
    } catch {
      throw RPCError("the monitor's answer makes no sense: \(error)")
    }
  }

  /// Begins to follow the journal; `nextEvent` then gives each entry from `sequence` + 1 on.
  public func follow(after sequence: Int64) throws(RPCError) -> [JournalEntry] {
    let result = try call("events", ["after": .integer(sequence), "follow": true])
    var entries: [JournalEntry] = []
    do {
      for item in try JSONReader(result).member("events").list() {
        entries.append(try JournalEntry(item))
      }
    } catch {
      throw RPCError("the monitor's answer makes no sense: \(error)")
    }
    return entries
  }

  /// The next journaled entry, after `follow`; nil when the time is over first.
  ///
  /// - Throws: `RPCError` when the monitor ended.
  public func nextEvent(milliseconds: Int) throws(RPCError) -> JournalEntry? {
    let deadline = host.uptime() + UInt64(max(0, milliseconds)) * 1_000_000
    while host.uptime() < deadline {
      guard let message = try message(until: deadline, "events") else { return nil }
      guard let event = message["event"] else { continue }
      do {
        return try JournalEntry(JSONReader(event))
      } catch {
        throw RPCError("the monitor's answer makes no sense: \(error)")
      }
    }
    return nil
  }

  /// Turns the connection into the guest's console: its past first, then raw bytes both ways.
  ///
  /// The descriptor is non-blocking; this client can make no further calls.
  public func console() throws(RPCError) -> (descriptor: Descriptor, first: [UInt8]) {
    _ = try call("console")
    return (socket, buffer.rest)
  }

  private func send(
    _ bytes: [UInt8], until deadline: UInt64, _ method: String
  ) throws(RPCError) {
    var rest = bytes[...]
    do {
      while !rest.isEmpty {
        let count = try StreamSocket.send(rest, on: socket)
        rest = rest.dropFirst(count)
        if count == 0 { try wait(until: deadline, forWriting: true) }
        if host.uptime() >= deadline { break }
      }
    } catch {
      throw RPCError("the monitor can't be reached: \(error)", isGone: error.isHungUp)
    }
    if !rest.isEmpty { throw RPCError("the monitor did not take '\(method)' in time") }
  }

  private func nextMessage(
    until deadline: UInt64, _ method: String
  ) throws(RPCError) -> JSONValue {
    guard let message = try message(until: deadline, method) else {
      throw RPCError("the monitor did not answer '\(method)' in time")
    }
    return message
  }

  private func message(
    until deadline: UInt64, _ method: String
  ) throws(RPCError) -> JSONValue? {
    do {
      while true {
        if let line = buffer.next() { return try JSONValue(parsing: line) }
        if let bytes = try StreamSocket.receive(from: socket) {
          if bytes.isEmpty {
            throw RPCError("the monitor ended before it answered '\(method)'", isGone: true)
          }
          if !buffer.append(bytes) { throw RPCError("the monitor's answer is too long") }
        } else {
          if host.uptime() >= deadline { return nil }
          try wait(until: deadline, forWriting: false)
        }
      }
    } catch let error as RPCError {
      throw error
    } catch {
      let isGone = (error as? SystemError)?.isHungUp == true
      throw RPCError("the monitor can't be understood: \(error)", isGone: isGone)
    }
  }

  private func wait(until deadline: UInt64, forWriting: Bool) throws(SystemError) {
    let now = host.uptime()
    guard now < deadline else { return }
    var entries = [PollEntry(socket.raw, wantsRead: !forWriting, wantsWrite: forWriting)]
    try poll(&entries, milliseconds: Int32(clamping: (deadline - now + 999_999) / 1_000_000))
  }
}
