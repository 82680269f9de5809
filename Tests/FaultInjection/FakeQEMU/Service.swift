internal import FaultPoints
internal import Glibc
internal import JSON
internal import SystemIO

/// Serves the sockets that QEMU is handed, one client each, until the guest's end.
final class Service {
  /// A socket, whoever is connected to it, and what came in without its end.
  private struct Channel {
    var listener: Descriptor?
    var client: Descriptor?
    var input: [UInt8] = []
  }

  private let machine: Machine
  private let points: FaultPoints
  private let signals: SignalReceiver
  private var qmp: Channel
  private var console: Channel
  private var agent: Channel
  private var hasBooted = false

  init(_ machine: Machine, _ points: FaultPoints, _ signals: SignalReceiver) {
    self.machine = machine
    self.points = points
    self.signals = signals
    func channel(_ id: String) -> Channel {
      guard let socket = machine.options.sockets[id] else { return Channel() }
      let descriptor = Descriptor(owning: socket.descriptor, name: id)
      return socket.isListening
        ? Channel(listener: descriptor) : Channel(client: descriptor)
    }
    qmp = channel("qmp")
    console = channel("console")
    agent = channel("agent")
  }

  func run() throws {
    if qmp.client != nil { try greet() }
    while true {
      // A second client waits until the first has gone, as with QEMU.
      let sources = [qmp, console, agent].map { $0.client ?? $0.listener }
      var entries = sources.map { PollEntry($0?.raw ?? -1, wantsRead: true) }
      entries.append(PollEntry(signals.descriptor.raw, wantsRead: true))
      try poll(&entries, milliseconds: -1)
      if entries[3].isReady, let signal = signals.next(), signal != SIGPIPE {
        try event("SHUTDOWN", ["guest": false, "reason": "host-signal"])
        end()
      }
      if entries[0].isReady {
        let hadClient = qmp.client != nil
        let lines = try receive(&qmp)
        if !hadClient, qmp.client != nil { try greet() }
        for line in lines { try answer(line) }
      }
      if entries[1].isReady { _ = try receive(&console) }
      if entries[2].isReady { _ = try receive(&agent) }
    }
  }

  /// Accepts a client, or takes in what one sends: the whole lines.
  private func receive(_ channel: inout Channel) throws -> [[UInt8]] {
    guard let client = channel.client else {
      if let listener = channel.listener { channel.client = try StreamSocket.accept(listener) }
      return []
    }
    // A client that is gone makes room for the next.
    let received = try? PassedDescriptor.receive(from: client, name: "a passed descriptor")
    if let descriptor = received?.descriptor { machine.passed.append(descriptor) }
    let bytes = received?.bytes ?? []
    if bytes.isEmpty {
      channel.client = nil
      channel.input = []
      return []
    }
    channel.input += bytes
    var lines: [[UInt8]] = []
    while let newline = channel.input.firstIndex(of: UInt8(ascii: "\n")) {
      lines.append(Array(channel.input[..<newline]))
      channel.input.removeFirst(newline + 1)
    }
    return lines
  }

  private func greet() throws {
    send(["QMP": ["version": version, "capabilities": ["oob"]]])
    points.reach("after the greeting")
  }

  private func answer(_ line: [UInt8]) throws {
    let request = try JSONValue(parsing: line)
    let id = request["id"] ?? .null
    guard let name = request["execute"]?.string, let command = commands[name] else {
      let name = request["execute"]?.string ?? ""
      return send([
        "id": id,
        "error": [
          "class": "CommandNotFound", "desc": .string("The command \(name) has not been found"),
        ],
      ])
    }
    points.reach("before \(name)")
    let effect: Effect
    do {
      effect = try command(machine, JSONReader(request["arguments"] ?? [:]))
    } catch {
      return send(["id": id, "error": ["class": "GenericError", "desc": .string("\(error)")]])
    }
    points.reach("within \(name)")
    for (name, data) in effect.before { try event(name, data) }
    send(["id": id, "return": effect.answer])
    if name == "cont" { boot() }
    for (name, data) in effect.after { try event(name, data) }
    points.reach("after \(name)")
    if effect.ends { end() }
  }

  private func event(_ name: String, _ data: JSONValue) throws {
    let now = HostContext.live().now()
    send([
      "timestamp": [
        "seconds": .integer(now.seconds), "microseconds": .integer(Int64(now.nanoseconds / 1000)),
      ], "event": .string(name), "data": data,
    ])
    points.reach("after the event \(name)")
  }

  /// What the guest writes when it starts.
  private func boot() {
    guard !hasBooted else { return }
    hasBooted = true
    let text = Array("READY\r\n".utf8)
    if let path = machine.options.sockets["console"]?.logFile {
      let file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
      _ = write(file, text, text.count)
      _ = close(file)
    }
    if let client = console.client {
      _ = Glibc.send(client.raw, text, text.count, Int32(MSG_NOSIGNAL))
    }
  }

  private func send(_ message: JSONValue) {
    guard let client = qmp.client else { return }
    let bytes = Array((message.text() + "\r\n").utf8)
    // A client that is gone hears nothing; QEMU does not mind either.
    _ = Glibc.send(client.raw, bytes, bytes.count, Int32(MSG_NOSIGNAL))
  }

  private func end() -> Never {
    points.reach("at its end")
    exit(0)
  }
}
