public import JSON
internal import SystemIO

/// A conversation with the guest agent without its socket: bytes in, answers out.
///
/// The channel is a serial line: it can lose, repeat and mix up. So a conversation begins with
/// `guest-sync-delimited` and a random number (QEMU guest agent protocol), and whatever comes
/// before that number's echo is thrown away.
public struct AgentSession: Sendable {
  /// What came in.
  public enum Message: Hashable, Sendable {
    /// The synchronisation's echo.
    case synchronized
    /// The answer to the command that was sent last.
    case reply(Result<JSONValue, QMPError>)
  }

  private static let lineLimit = 1 << 24
  private var buffer = LineBuffer(limit: lineLimit)
  private var expectedSync: Int64?
  private var command: String?
  /// Whether the guest's answers belong to our commands.
  public private(set) var isSynchronized = false

  /// Begins a conversation.
  public init() {}

  /// The bytes that begin anew; `number` is random, from 1.
  public mutating func synchronize(number: Int64) -> [UInt8] {
    isSynchronized = false
    expectedSync = number
    command = nil
    buffer = LineBuffer(limit: Self.lineLimit)
    let message: JSONValue = [
      "execute": "guest-sync-delimited", "arguments": ["id": .integer(number)],
    ]
    // 0xff makes the agent forget half a command that was sent before.
    return [0xff] + Array((message.text() + "\n").utf8)
  }

  /// A command's bytes; one at a time, and only once synchronised.
  public mutating func encode(_ name: String, _ arguments: JSONObject = JSONObject()) -> [UInt8] {
    command = name
    var message: JSONValue = ["execute": .string(name)]
    if !arguments.isEmpty { message["arguments"] = .object(arguments) }
    return Array((message.text() + "\n").utf8)
  }

  /// Forgets that the two sides agree: after a missed answer.
  public mutating func desynchronize() {
    isSynchronized = false
    expectedSync = nil
    command = nil
  }

  /// Takes in bytes and gives what they complete; what makes no sense is skipped.
  public mutating func receive(_ bytes: [UInt8]) -> [Message] {
    if !buffer.append(bytes) { buffer = LineBuffer(limit: Self.lineLimit) }
    var messages: [Message] = []
    while let line = buffer.next() {
      // All before the last 0xff is of a conversation before this one.
      let text = line.lastIndex(of: 0xff).map { line[($0 + 1)...] } ?? line[...]
      // Garbage on a serial line is expected; the synchronisation finds its way past it.
      guard let value = try? JSONValue(parsing: text) else { continue }
      if let number = expectedSync {
        guard value["return"]?.integer == number else { continue }
        expectedSync = nil
        isSynchronized = true
        messages.append(.synchronized)
      } else if let name = command {
        if let error = value["error"] {
          command = nil
          messages.append(
            .reply(
              .failure(
                .refused(
                  command: name, class: error["class"]?.string ?? "",
                  description: error["desc"]?.string ?? "no reason given"))))
        } else if let result = value["return"] {
          command = nil
          messages.append(.reply(.success(result)))
        }
      }
    }
    return messages
  }
}
