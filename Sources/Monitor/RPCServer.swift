internal import JSON
internal import QEMU
internal import SystemIO

/// Takes requests on the monitor's socket; several clients at once, none able to hold up another.
final class RPCServer {
  private let supervisor: Supervisor
  private let listener: Descriptor
  private let userID: UInt32
  private var clients: [ObjectIdentifier: RPCClient] = [:]

  init(_ supervisor: Supervisor) throws(SystemError) {
    self.supervisor = supervisor
    userID = effectiveUserID()
    listener = try StreamSocket.listen(supervisor.directory.monitorSocket, backlog: 64)
    supervisor.loop.watch(listener) { [weak self] _, _ in self?.accept() }
  }

  /// Tells followers what was journaled.
  func publish(_ entry: JournalEntry) {
    for client in clients.values where client.follows { client.send(["event": entry.json]) }
  }

  /// Sends what is still queued, for as long as a reader takes it, at most a second; then stops
  /// listening.
  func close() throws(SystemError) {
    supervisor.loop.unwatch(listener)
    try removeFile(supervisor.directory.monitorSocket)
    let end = supervisor.host.uptime() + 1_000_000_000
    while supervisor.host.uptime() < end {
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
          supervisor.log.write("a connection of user \(peer) was refused")
          continue
        }
        guard clients.count < 256 else { continue }
        let client = RPCClient(supervisor, socket)
        let id = ObjectIdentifier(client)
        clients[id] = client
        client.onGone = { [weak self] in self?.clients[id] = nil }
      }
    } catch {
      supervisor.log.write("\(error)")
    }
  }
}

/// One connection: a line of JSON a request, `{id, method, params}`; a line an answer.
final class RPCClient {
  private let supervisor: Supervisor
  private let channel: StreamChannel
  private var buffer = LineBuffer(limit: 1 << 20)
  private var isConsole = false
  private(set) var follows = false
  /// The connection's number for poll(2).
  let descriptor: Int32
  /// Called once, when the connection is over or no longer speaks the RPC.
  var onGone: () -> Void = {}

  init(_ supervisor: Supervisor, _ socket: Descriptor) {
    self.supervisor = supervisor
    descriptor = socket.raw
    channel = StreamChannel(supervisor.loop, socket, outputLimit: 8 << 20)
    channel.onBytes = { [weak self] bytes in self?.receive(bytes) }
    channel.onClose = { [weak self] in self?.gone() }
  }

  /// Bytes still to be sent.
  var pending: Int { channel.pending }

  func flush() { channel.flush() }

  func send(_ message: JSONValue) {
    // A client that doesn't read its answers is let go; it must not grow the monitor.
    if !channel.send(Array((message.text() + "\n").utf8)) {
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
    while !isConsole, channel.isOpen, let line = buffer.next() {
      if !line.isEmpty { handle(line) }
    }
  }

  private func handle(_ line: [UInt8]) {
    do {
      try handle(JSONReader(JSONValue(parsing: line)))
    } catch {
      send(["id": .null, "error": ["message": .string("\(error)")]])
    }
  }

  private func handle(_ reader: JSONReader) {
    let id = reader.value["id"] ?? .null
    do {
      let method = try reader.member("method").string()
      let params = reader.optional("params") ?? JSONReader([:], path: "params")
      try dispatch(method, params) { [weak self] result in
        switch result {
        case .success(let value): self?.send(["id": id, "result": value])
        case .failure(let error):
          self?.send(["id": id, "error": ["message": .string(error.description)]])
        }
      }
    } catch {
      send(["id": id, "error": ["message": .string("\(error)")]])
    }
  }

  private func dispatch(
    _ method: String, _ params: JSONReader,
    _ tell: @escaping (Result<JSONValue, RPCError>) -> Void
  ) throws {
    switch method {
    case "console":
      isConsole = true
      tell(.success([:]))
      supervisor.console.attach(channel, typed: buffer.rest)
      gone()
    case "events":
      let after: Int64 = try params.optional("after")?.integer(0 ... .max) ?? 0
      let entries = try JournalEntry.read(supervisor.directory, after: after)
      tell(.success(["events": .array(entries.map(\.json))]))
      follows = try params.optional("follow")?.bool() ?? false
    default: try supervisor.handle(method, params, tell)
    }
  }
}
