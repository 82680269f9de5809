internal import JSON
internal import QEMU
internal import Supervision
internal import SystemIO

/// The monitor's QMP connection: every command has an id and a deadline, events come in between.
final class QMPChannel {
  /// Milliseconds a command may take that only asks or switches something.
  static let quick = 5000
  /// Milliseconds a command may take that reaches a disk.
  static let block = 15_000

  private struct Waiting {
    let timer: EventLoop.Timer
    let completion: (Result<JSONValue, QMPError>) -> Void
    let command: String
  }

  private let loop: EventLoop
  private let stream: StreamChannel
  private var session = QMPSession()
  private var waiting: [Int64: Waiting] = [:]
  /// Called with QEMU's version, first.
  var onGreeting: (String) -> Void = { _ in }
  /// Called with each event, in order.
  var onEvent: (QMPEvent) -> Void = { _ in }
  /// Called once when the conversation is over; QEMU may well be alive.
  var onClose: () -> Void = {}
  /// Called when QEMU stops answering, and when it answers again.
  var onSilence: (Bool) -> Void = { _ in }
  private var isSilent = false

  init(_ loop: EventLoop, path: String) throws(SystemError) {
    self.loop = loop
    stream = StreamChannel(loop, try StreamSocket.connect(path), outputLimit: 1 << 20)
    stream.onBytes = { [weak self] bytes in self?.receive(bytes) }
    stream.onClose = { [weak self] in self?.finish() }
  }

  /// Sends a command; `completion` is called exactly once, in time, whatever QEMU does.
  ///
  /// - Parameter descriptor: what QEMU gets with it: `getfd` gives it a name.
  func execute(
    _ command: String, _ arguments: JSONObject = JSONObject(), deadline: Int = quick,
    passing descriptor: Descriptor? = nil,
    _ completion: @escaping (Result<JSONValue, QMPError>) -> Void = { _ in }
  ) {
    let (id, bytes) = session.encode(command, arguments)
    guard stream.send(bytes, passing: descriptor) else {
      // Later, so that no caller is called back before its own call returned.
      loop.after(milliseconds: 0) { completion(.failure(.closed(command: command))) }
      return
    }
    let timer = loop.after(milliseconds: deadline) { [weak self] in
      guard let self, let late = waiting.removeValue(forKey: id) else { return }
      setSilent(true)
      late.completion(.failure(.timeout(command: command, milliseconds: deadline)))
    }
    waiting[id] = Waiting(timer: timer, completion: completion, command: command)
  }

  /// Takes in what QEMU had to say before it ended.
  func drain() { stream.drain() }

  /// Ends the conversation; what waits fails.
  func close() {
    stream.close()
    finish()
  }

  private func receive(_ bytes: [UInt8]) {
    let messages: [QMPSession.Message]
    do {
      messages = try session.receive(bytes)
    } catch {
      return close()
    }
    if !messages.isEmpty { setSilent(false) }
    for message in messages {
      switch message {
      case .greeting(let version): onGreeting(version)
      case .event(let event): onEvent(event)
      case .reply(let id, let result):
        guard let command = waiting.removeValue(forKey: id) else { continue }
        loop.cancel(command.timer)
        command.completion(result)
      }
    }
  }

  private func finish() {
    let left = waiting.sorted { $0.key < $1.key }
    waiting = [:]
    for (_, command) in left {
      loop.cancel(command.timer)
      command.completion(.failure(.closed(command: command.command)))
    }
    let closed = onClose
    onClose = {}
    closed()
  }

  private func setSilent(_ silent: Bool) {
    guard silent != isSilent else { return }
    isSilent = silent
    onSilence(silent)
  }
}
