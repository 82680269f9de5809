public import JSON
internal import SystemIO

/// Something QEMU tells by itself (QMP specification, "Asynchronous events").
public struct QMPEvent: Hashable, Sendable {
  /// Its name: `SHUTDOWN`, `RESET`.
  public let name: String
  /// What it says.
  public let data: JSONObject

  /// Makes an event.
  public init(name: String, data: JSONObject) {
    self.name = name
    self.data = data
  }
}

/// Why a QMP command or the conversation failed.
public enum QMPError: Error, Hashable, Sendable, CustomStringConvertible {
  /// QEMU refused the command.
  case refused(command: String, class: String, description: String)
  /// The other end does not speak QMP.
  case notQMP(String)
  /// QEMU did not answer in time.
  case timeout(command: String, milliseconds: Int)
  /// The conversation ended before the answer.
  case closed(command: String)
  /// The guest agent is not connected, or went before the answer.
  case noAgent(command: String)

  /// What failed and why.
  public var description: String {
    switch self {
    case .refused(let command, _, let description): "QEMU refused '\(command)': \(description)"
    case .notQMP(let problem): "the QMP socket does not speak QMP: \(problem)"
    case .timeout(let command, let milliseconds):
      "there was no answer to '\(command)' within \(milliseconds) ms"
    case .noAgent(let command):
      "the guest agent is not connected: '\(command)' can't be done; install qemu-guest-agent in "
        + "the guest, or wait until it has booted"
    case .closed(let command): "QEMU closed the QMP socket before it answered '\(command)'"
    }
  }
}

/// A QMP conversation without its socket: bytes in, events and replies out.
///
/// Works on whatever pieces the socket gives; a line longer than the limit or one that is no JSON
/// ends the conversation with an error. Unknown members and messages are ignored.
public struct QMPSession: Sendable {
  /// What came in.
  public enum Message: Hashable, Sendable {
    /// The first message: QEMU's version as `7.2.22`.
    case greeting(version: String)
    /// Something QEMU tells by itself.
    case event(QMPEvent)
    /// A command's answer.
    case reply(id: Int64, Result<JSONValue, QMPError>)
  }

  /// The longest line taken, in bytes.
  public static let lineLimit = 1 << 22

  private var buffer = LineBuffer(limit: lineLimit)
  private var lastID: Int64 = 0
  private var commands: [Int64: String] = [:]
  private var greeted = false

  /// Begins a conversation.
  public init() {}

  /// A command's bytes and the id its reply will carry.
  public mutating func encode(
    _ command: String, _ arguments: JSONObject = JSONObject()
  ) -> (id: Int64, bytes: [UInt8]) {
    lastID += 1
    var message: JSONValue = ["execute": .string(command), "id": .integer(lastID)]
    if !arguments.isEmpty { message["arguments"] = .object(arguments) }
    commands[lastID] = command
    return (lastID, Array((message.text() + "\n").utf8))
  }

  /// Takes in bytes and gives the messages they complete, in order.
  ///
  /// - Throws: `QMPError.notQMP`; the conversation is over then.
  public mutating func receive(_ bytes: [UInt8]) throws(QMPError) -> [Message] {
    var messages: [Message] = []
    guard buffer.append(bytes) else { throw .notQMP("a line of more than \(Self.lineLimit) bytes") }
    while let line = buffer.next() {
      if line.isEmpty { continue }
      let value: JSONValue
      do {
        value = try JSONValue(parsing: line)
      } catch {
        throw .notQMP("\(error)")
      }
      if let message = try interpret(value) { messages.append(message) }
    }
    return messages
  }

  private mutating func interpret(_ value: JSONValue) throws(QMPError) -> Message? {
    if let greeting = value["QMP"] {
      greeted = true
      return .greeting(version: version(greeting["version"]?["qemu"]))
    }
    guard greeted else { throw .notQMP("the greeting is missing") }
    if let name = value["event"]?.string {
      return .event(QMPEvent(name: name, data: value["data"]?.object ?? JSONObject()))
    }
    guard let id = value["id"]?.integer, let command = commands.removeValue(forKey: id) else {
      return nil
    }
    if let error = value["error"] {
      return .reply(
        id: id,
        .failure(
          .refused(
            command: command, class: error["class"]?.string ?? "",
            description: error["desc"]?.string ?? "no reason given")))
    }
    return .reply(id: id, .success(value["return"] ?? .null))
  }

  private func version(_ value: JSONValue?) -> String {
    ["major", "minor", "micro"].map { String(value?[$0]?.integer ?? 0) }.joined(separator: ".")
  }
}
