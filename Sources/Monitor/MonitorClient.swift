public import JSON
public import Supervision
public import SystemIO

/// A connection to a machine's monitor.
///
/// Every call blocks its thread until the answer or the deadline: to be made from threads of their
/// own, never from Swift's cooperative pool. One call at a time.
public final class MonitorClient {
  private let connection: RPCConnection

  /// Connects to the monitor of a machine.
  ///
  /// - Throws: `SystemError`, `isNotFound` or `isRefused` where no monitor runs.
  public init(_ directory: MachineDirectory, host: HostContext) throws(SystemError) {
    connection = try RPCConnection(directory.monitorSocket, peer: "the monitor", host: host)
  }

  /// Makes a request and waits for its answer.
  ///
  /// - Parameter milliseconds: the deadline.
  /// - Throws: `RPCError` with the monitor's reason, or where it ended or took too long.
  public func call(
    _ method: String, _ params: JSONObject = JSONObject(), milliseconds: Int = 10_000
  ) throws(RPCError) -> JSONValue {
    // To ask how a guest is changes nothing.
    try connection.call(
      method, params, milliseconds: milliseconds,
      changes: method != "status" && method != "events")
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
    guard let event = try connection.nextEvent(milliseconds: milliseconds) else { return nil }
    do {
      return try JournalEntry(JSONReader(event))
    } catch {
      throw RPCError("the monitor's answer makes no sense: \(error)")
    }
  }

  /// Turns the connection into the guest's console: its past first, then raw bytes both ways.
  ///
  /// The descriptor is non-blocking; this client can make no further calls.
  public func console() throws(RPCError) -> (descriptor: Descriptor, first: [UInt8]) {
    _ = try call("console")
    return (connection.descriptor, connection.rest)
  }
}
