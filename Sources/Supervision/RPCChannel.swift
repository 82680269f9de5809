public import JSON
public import SystemIO

/// A connection to a service's RPC in an event loop, from the client's side: it never blocks.
public final class RPCChannel {
  /// What a request came to: the answer, and the descriptor that came with it.
  public typealias Answer = (result: JSONValue, descriptor: Descriptor?)

  private struct Waiting {
    let method: String
    let timer: EventLoop.Timer
    let completion: (Result<Answer, RPCError>) -> Void
  }

  private let loop: EventLoop
  private let peer: String
  private let stream: StreamChannel
  private var buffer = LineBuffer(limit: 1 << 24)
  /// What came with an answer that has not been read yet.
  private var passed: [Descriptor] = []
  private var lastID: Int64 = 0
  private var waiting: [Int64: Waiting] = [:]
  /// Called with each event, after a request to be told of them.
  public var onEvent: (JSONValue) -> Void = { _ in }
  /// Called once, when the service is gone or can't be understood.
  public var onClose: () -> Void = {}

  /// Connects to the service that listens at a path.
  ///
  /// - Parameter peer: the service in messages: `the network's supervisor`.
  /// - Throws: `SystemError`, `isNotFound` or `isRefused` where none runs.
  public init(_ loop: EventLoop, _ path: String, peer: String) throws(SystemError) {
    self.loop = loop
    self.peer = peer
    stream = StreamChannel(loop, try StreamSocket.connect(path), outputLimit: 1 << 20)
    stream.onDescriptor = { [weak self] descriptor in self?.passed.append(descriptor) }
    stream.onBytes = { [weak self] bytes in self?.receive(bytes) }
    stream.onClose = { [weak self] in self?.finish() }
  }

  /// Makes a request; `completion` is called exactly once, in time, unless the channel is dropped.
  public func call(
    _ method: String, _ params: JSONObject = JSONObject(), milliseconds: Int,
    _ completion: @escaping (Result<Answer, RPCError>) -> Void
  ) {
    lastID += 1
    let id = lastID
    let request: JSONValue = [
      "id": .integer(id), "method": .string(method), "params": .object(params),
    ]
    guard stream.send(Array((request.text() + "\n").utf8)) else {
      let error = RPCError("\(peer) can't be reached", isGone: true)
      // Later, so that no caller is called back before its own call returned.
      loop.after(milliseconds: 0) { completion(.failure(error)) }
      return
    }
    let timer = loop.after(milliseconds: milliseconds) { [weak self, peer] in
      self?.waiting[id] = nil
      completion(.failure(RPCError("\(peer) did not answer '\(method)' in time")))
    }
    waiting[id] = Waiting(method: method, timer: timer, completion: completion)
  }

  /// Ends the connection without calling `onClose`; what waits fails.
  public func close() {
    onClose = {}
    stream.close()
    finish()
  }

  private func receive(_ bytes: [UInt8]) {
    guard buffer.append(bytes) else { return fail() }
    while stream.isOpen, let line = buffer.next() {
      do {
        take(try JSONValue(parsing: line))
      } catch {
        return fail()
      }
    }
  }

  private func take(_ message: JSONValue) {
    // Taken with its answer, be that the one to a call that was given up.
    var descriptor: Descriptor?
    if message["descriptor"]?.bool == true, !passed.isEmpty { descriptor = passed.removeFirst() }
    if let event = message["event"] { return onEvent(event) }
    guard let id = message["id"]?.integer, let request = waiting.removeValue(forKey: id) else {
      return
    }
    loop.cancel(request.timer)
    if let error = message["error"] {
      request.completion(
        .failure(RPCError(error["message"]?.string ?? "\(peer) gave no reason")))
    } else {
      request.completion(.success((message["result"] ?? .null, descriptor)))
    }
  }

  private func fail() {
    stream.close()
    finish()
  }

  private func finish() {
    passed = []
    let left = waiting.sorted { $0.key < $1.key }
    waiting = [:]
    for (_, request) in left {
      loop.cancel(request.timer)
      request.completion(
        .failure(RPCError("\(peer) ended before it answered '\(request.method)'", isGone: true)))
    }
    let closed = onClose
    onClose = {}
    closed()
  }
}
