public import JSON
public import SystemIO

/// One request of a client; it is answered once, now or later.
public struct RPCRequest {
  /// What is asked for.
  public let method: String
  /// The parameters; an empty object where there are none.
  public let params: JSONReader
  /// The connection it came by.
  public let client: RPCClient
  fileprivate let id: JSONValue

  /// Answers.
  public func answer(_ result: Result<JSONValue, RPCError>) {
    switch result {
    case .success(let value): client.send(["id": id, "result": value])
    case .failure(let error):
      client.send(["id": id, "error": ["message": .string(error.description)]])
    }
  }

  /// Answers with a descriptor, which the client gets a copy of.
  public func answer(_ value: JSONValue, passing descriptor: Descriptor) {
    client.send(["id": id, "result": value, "descriptor": true], passing: descriptor)
  }
}

/// Takes requests on a service's socket; several clients at once, none able to hold up another.
///
/// Only the service's own user and root are let in.
public final class RPCServer {
  /// The socket's path, which is removed at the end; nil where it is another's.
  private let path: String?
  private let loop: EventLoop
  private let log: ServiceLog
  private let host: HostContext
  private let handle: (RPCRequest) throws -> Void
  private let listener: Descriptor
  private let userID: UInt32
  private var clients: [ObjectIdentifier: RPCClient] = [:]

  /// Listens at a path, whose lock the caller holds.
  ///
  /// - Parameter handle: carries out a request; what it throws is the answer.
  public convenience init(
    _ path: String, loop: EventLoop, log: ServiceLog, host: HostContext,
    handle: @escaping (RPCRequest) throws -> Void
  ) throws(SystemError) {
    self.init(
      listener: try StreamSocket.listen(path, backlog: 64), path: path, loop: loop, log: log,
      host: host, handle: handle)
  }

  /// Takes the requests of a listening socket that this process was started with.
  public convenience init(
    listener: Descriptor, loop: EventLoop, log: ServiceLog, host: HostContext,
    handle: @escaping (RPCRequest) throws -> Void
  ) {
    self.init(
      listener: listener, path: nil, loop: loop, log: log, host: host, handle: handle)
  }

  private init(
    listener: Descriptor, path: String?, loop: EventLoop, log: ServiceLog, host: HostContext,
    handle: @escaping (RPCRequest) throws -> Void
  ) {
    self.path = path
    self.loop = loop
    self.log = log
    self.host = host
    self.handle = handle
    userID = effectiveUserID()
    self.listener = listener
    loop.watch(listener) { [weak self] _, _ in self?.accept() }
  }

  /// Tells followers what happened.
  public func publish(_ event: JSONValue) {
    for client in clients.values where client.follows { client.send(["event": event]) }
  }

  /// Sends what is still queued, for as long as a reader takes it, at most a second; then stops
  /// listening.
  public func close() throws(SystemError) {
    loop.unwatch(listener)
    if let path { try removeFile(path) }
    let end = host.uptime() + 1_000_000_000
    while host.uptime() < end {
      let waiting = clients.values.filter { $0.pending > 0 }
      if waiting.isEmpty { return }
      var entries = waiting.map { PollEntry($0.descriptor, wantsWrite: true) }
      try poll(&entries, milliseconds: 100)
      for client in waiting { client.flush() }
    }
  }

  private func accept() {
    do {
      while let socket = try StreamSocket.accept(listener) {
        let peer = try StreamSocket.peerUserID(socket)
        guard peer == userID || peer == 0 else {
          log.write("a connection of user \(peer) was refused")
          continue
        }
        guard clients.count < 256 else { continue }
        let client = RPCClient(loop, socket, handle)
        let id = ObjectIdentifier(client)
        clients[id] = client
        client.onGone = { [weak self] in self?.clients[id] = nil }
      }
    } catch {
      log.write("\(error)")
    }
  }
}

/// One connection: a line of JSON a request, `{id, method, params}`; a line an answer.
public final class RPCClient {
  private let channel: StreamChannel
  private let handle: (RPCRequest) throws -> Void
  private var buffer = LineBuffer(limit: 1 << 20)
  private var isTakenOver = false
  /// Whether it is told what happens, as `{event}`.
  public var follows = false
  /// The connection's number for poll(2).
  fileprivate let descriptor: Int32
  /// Called once, when the connection is over or no longer speaks the RPC.
  fileprivate var onGone: () -> Void = {}

  fileprivate init(
    _ loop: EventLoop, _ socket: Descriptor, _ handle: @escaping (RPCRequest) throws -> Void
  ) {
    self.handle = handle
    descriptor = socket.raw
    channel = StreamChannel(loop, socket, outputLimit: 8 << 20)
    channel.onBytes = { [weak self] bytes in self?.receive(bytes) }
    channel.onClose = { [weak self] in self?.gone() }
  }

  /// Makes the connection the caller's, who sets the channel's `onBytes` and `onClose`; it speaks
  /// the RPC no more.
  ///
  /// - Returns: the channel, and what came in after the request.
  public func takeOver() -> (channel: StreamChannel, rest: [UInt8]) {
    isTakenOver = true
    gone()
    return (channel, buffer.rest)
  }

  /// Bytes still to be sent.
  fileprivate var pending: Int { channel.pending }

  fileprivate func flush() { channel.flush() }

  fileprivate func send(_ message: JSONValue, passing descriptor: Descriptor? = nil) {
    // A client that doesn't read its answers is let go; it must not grow the service.
    if !channel.send(Array((message.text() + "\n").utf8), passing: descriptor) {
      channel.close()
      gone()
    }
  }

  private func gone() {
    let tell = onGone
    onGone = {}
    tell()
  }

  private func receive(_ bytes: [UInt8]) {
    guard buffer.append(bytes) else {
      send(["error": ["message": "a request is longer than 1 MiB"]])
      channel.closeWhenSent()
      return
    }
    while !isTakenOver, channel.isOpen, let line = buffer.next() {
      if !line.isEmpty { receive(line: line) }
    }
  }

  private func receive(line: [UInt8]) {
    let reader: JSONReader
    do {
      reader = try JSONReader(JSONValue(parsing: line))
    } catch {
      return send(["id": .null, "error": ["message": .string("\(error)")]])
    }
    let id = reader.value["id"] ?? .null
    do {
      try handle(
        RPCRequest(
          method: try reader.member("method").string(),
          params: reader.optional("params") ?? JSONReader([:], path: "params"), client: self,
          id: id))
    } catch {
      send(["id": id, "error": ["message": .string("\(error)")]])
    }
  }
}
