public import JSON
public import SystemIO

/// A connection to a service's RPC, from the client's side.
///
/// Every call blocks its thread until the answer or the deadline: to be made from threads of their
/// own, never from Swift's cooperative pool. One call at a time.
public final class RPCConnection {
  /// The service in messages: `the monitor`.
  private let peer: String
  private let socket: Descriptor
  private let host: HostContext
  private var buffer = LineBuffer(limit: 1 << 24)
  /// What came with an answer that has not been read yet.
  private var passed: [Descriptor] = []
  private var lastID: Int64 = 0

  /// Connects to the service that listens at a path.
  ///
  /// - Parameter peer: the service in messages: `the monitor`.
  /// - Throws: `SystemError`, `isNotFound` or `isRefused` where none runs.
  public init(_ path: String, peer: String, host: HostContext) throws(SystemError) {
    socket = try StreamSocket.connect(path)
    self.peer = peer
    self.host = host
  }

  /// The connection itself; readable where nothing was asked, it has ended.
  public var descriptor: Descriptor { socket }

  /// What has come in after the last whole answer.
  public var rest: [UInt8] { buffer.rest }

  /// Makes a request and waits for its answer.
  ///
  /// - Parameters:
  ///   - milliseconds: the deadline.
  ///   - changes: whether what is asked for changes anything; a step that outlives the process.
  /// - Throws: `RPCError` with the service's reason, or where it ended or took too long.
  public func call(
    _ method: String, _ params: JSONObject = JSONObject(), milliseconds: Int,
    changes: Bool = true
  ) throws(RPCError) -> JSONValue {
    guard changes else { return try ask(method, params, milliseconds).result }
    return try lastingStep("request \(method)") { () throws(RPCError) in
      try ask(method, params, milliseconds).result
    }
  }

  /// Makes a request whose answer brings a descriptor.
  public func callForDescriptor(
    _ method: String, _ params: JSONObject = JSONObject(), milliseconds: Int
  ) throws(RPCError) -> (result: JSONValue, descriptor: Descriptor) {
    let answer = try ask(method, params, milliseconds)
    guard let descriptor = answer.descriptor else {
      throw RPCError("\(peer) answered '\(method)' without a descriptor")
    }
    return (answer.result, descriptor)
  }

  /// The next event, after a request to be told of them; nil when the time is over first.
  ///
  /// - Throws: `RPCError` when the service ended.
  public func nextEvent(milliseconds: Int) throws(RPCError) -> JSONValue? {
    let deadline = host.uptime() + UInt64(max(0, milliseconds)) * 1_000_000
    while host.uptime() < deadline {
      guard let message = try message(until: deadline, "events") else { return nil }
      if let event = message["event"] { return event }
    }
    return nil
  }

  private func ask(
    _ method: String, _ params: JSONObject, _ milliseconds: Int
  ) throws(RPCError) -> (result: JSONValue, descriptor: Descriptor?) {
    lastID += 1
    let request: JSONValue = [
      "id": .integer(lastID), "method": .string(method), "params": .object(params),
    ]
    let deadline = host.uptime() + UInt64(max(0, milliseconds)) * 1_000_000
    try send(Array((request.text() + "\n").utf8), until: deadline, method)
    while true {
      guard let message = try message(until: deadline, method) else {
        throw RPCError("\(peer) did not answer '\(method)' in time")
      }
      // Taken with its answer, be that the one to a call that was given up.
      var descriptor: Descriptor?
      if message["descriptor"]?.bool == true, !passed.isEmpty { descriptor = passed.removeFirst() }
      guard message["id"]?.integer == lastID else { continue }
      if let error = message["error"] {
        throw RPCError(error["message"]?.string ?? "\(peer) gave no reason")
      }
      return (message["result"] ?? .null, descriptor)
    }
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
      throw RPCError("\(peer) can't be reached: \(error)", isGone: error.isHungUp)
    }
    if !rest.isEmpty { throw RPCError("\(peer) did not take '\(method)' in time") }
  }

  private func message(
    until deadline: UInt64, _ method: String
  ) throws(RPCError) -> JSONValue? {
    do {
      while true {
        if let line = buffer.next() { return try JSONValue(parsing: line) }
        if let received = try PassedDescriptor.receive(from: socket, name: "what \(peer) passed") {
          if received.bytes.isEmpty {
            throw RPCError("\(peer) ended before it answered '\(method)'", isGone: true)
          }
          if let descriptor = received.descriptor { passed.append(descriptor) }
          if !buffer.append(received.bytes) { throw RPCError("\(peer)'s answer is too long") }
        } else {
          if host.uptime() >= deadline { return nil }
          try wait(until: deadline, forWriting: false)
        }
      }
    } catch let error as RPCError {
      throw error
    } catch {
      let isGone = (error as? SystemError)?.isHungUp == true
      throw RPCError("\(peer) can't be understood: \(error)", isGone: isGone)
    }
  }

  private func wait(until deadline: UInt64, forWriting: Bool) throws(SystemError) {
    let now = host.uptime()
    guard now < deadline else { return }
    var entries = [PollEntry(socket.raw, wantsRead: !forWriting, wantsWrite: forWriting)]
    try poll(&entries, milliseconds: Int32(clamping: (deadline - now + 999_999) / 1_000_000))
  }
}
