internal import JSON
internal import QEMU
internal import Supervision
internal import SystemIO

/// The monitor's line to the guest agent: one command at a time, each with a deadline.
final class AgentChannel {
  private struct Request {
    let id: Int
    let command: String
    let arguments: JSONObject
    let expectsReply: Bool
    let completion: (Result<JSONValue, QMPError>) -> Void
  }

  private let loop: EventLoop
  private let host: HostContext
  private let stream: StreamChannel
  private var session = AgentSession()
  private var queue: [Request] = []
  private var timers: [Int: EventLoop.Timer] = [:]
  private var lastID = 0
  private var isSending = false
  /// Whether the guest has opened its end; nil where nobody told.
  var isGuestListening: Bool? {
    didSet {
      guard isGuestListening == false else { return }
      session.desynchronize()
      failAll()
    }
  }

  init(_ loop: EventLoop, path: String, host: HostContext) throws(SystemError) {
    self.loop = loop
    self.host = host
    stream = StreamChannel(loop, try StreamSocket.connect(path), outputLimit: 1 << 20)
    stream.onBytes = { [weak self] bytes in self?.receive(bytes) }
    stream.onClose = { [weak self] in self?.isGuestListening = false }
    // QEMU tells when the guest opens it.
    isGuestListening = false
  }

  /// Sends a command; `completion` is called exactly once, in time, whatever the guest does.
  ///
  /// - Parameter expectsReply: false for the few commands that succeed without an answer.
  func execute(
    _ command: String, _ arguments: JSONObject = JSONObject(), deadline: Int,
    expectsReply: Bool = true, _ completion: @escaping (Result<JSONValue, QMPError>) -> Void
  ) {
    guard stream.isOpen, isGuestListening != false else {
      loop.after(milliseconds: 0) { completion(.failure(.noAgent(command: command))) }
      return
    }
    lastID += 1
    let id = lastID
    queue.append(
      Request(
        id: id, command: command, arguments: arguments, expectsReply: expectsReply,
        completion: completion))
    timers[id] = loop.after(milliseconds: deadline) { [weak self] in
      self?.expire(id, deadline)
    }
    advance()
  }

  func close() {
    stream.close()
    failAll()
  }

  private func advance() {
    guard !isSending, let first = queue.first else { return }
    isSending = true
    if session.isSynchronized {
      stream.send(session.encode(first.command, first.arguments))
      if !first.expectsReply { settle(.success(.null)) }
    } else {
      let number = host.randomBytes(4).reduce(Int64(0)) { $0 << 8 | Int64($1) } + 1
      stream.send(session.synchronize(number: number))
    }
  }

  private func receive(_ bytes: [UInt8]) {
    for message in session.receive(bytes) {
      switch message {
      case .synchronized:
        isSending = false
        advance()
      case .reply(let result): settle(result)
      }
    }
  }

  private func settle(_ result: Result<JSONValue, QMPError>) {
    isSending = false
    guard !queue.isEmpty else { return }
    let request = queue.removeFirst()
    loop.cancel(timers.removeValue(forKey: request.id))
    request.completion(result)
    advance()
  }

  private func expire(_ id: Int, _ deadline: Int) {
    guard let index = queue.firstIndex(where: { $0.id == id }) else { return }
    let request = queue.remove(at: index)
    timers[id] = nil
    if index == 0 {
      // Its answer may still come, and must not be taken for the next one's.
      session.desynchronize()
      isSending = false
    }
    request.completion(.failure(.timeout(command: request.command, milliseconds: deadline)))
    advance()
  }

  private func failAll() {
    isSending = false
    let left = queue
    queue = []
    for request in left {
      loop.cancel(timers.removeValue(forKey: request.id))
      request.completion(.failure(.noAgent(command: request.command)))
    }
  }
}
