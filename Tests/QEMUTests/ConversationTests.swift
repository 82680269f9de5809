import JSON
import QEMU
import SystemIO
import Testing

@Suite("Conversations")
struct ConversationTests {
  static let greeting =
    #"{"QMP":{"version":{"qemu":{"micro":22,"minor":2,"major":7},"package":""},"capabilities":[]}}"#

  static func bytes(_ text: String) -> [UInt8] { Array((text + "\r\n").utf8) }

  @Test(
    "Events that come before a reply are events, and the reply is the reply", arguments: [1, 7])
  func interleaved(pieceSize: Int) throws {
    var session = QMPSession()
    let (id, sent) = session.encode("cont")
    #expect(String(decoding: sent, as: UTF8.self) == "{\"execute\":\"cont\",\"id\":1}\n")
    let text =
      Self.bytes(Self.greeting)
      + Self.bytes(#"{"timestamp":{},"event":"RESUME","new":1}"#)
      + Self.bytes(#"{"unknown":true}"#) + Self.bytes(#"{"return":{},"id":99}"#)
      + Self.bytes(#"{"return":{},"id":1}"#) + Self.bytes(#"{"return":{},"id":1}"#)
    var messages: [QMPSession.Message] = []
    for start in stride(from: 0, to: text.count, by: pieceSize) {
      messages += try session.receive(Array(text[start..<min(start + pieceSize, text.count)]))
    }
    #expect(
      messages == [
        .greeting(version: "7.2.22"), .event(QMPEvent(name: "RESUME", data: [:])),
        .reply(id: id, .success([:])),
      ])
  }

  @Test("A refusal carries QEMU's words")
  func refusal() throws {
    var session = QMPSession()
    _ = try session.receive(Self.bytes(Self.greeting))
    let (id, _) = session.encode("cont")
    let messages = try session.receive(
      Self.bytes(#"{"id":1,"error":{"class":"GenericError","desc":"no"}}"#))
    #expect(
      messages == [
        .reply(
          id: id, .failure(.refused(command: "cont", class: "GenericError", description: "no")))
      ])
  }

  @Test(
    "What is no QMP ends the conversation",
    arguments: ["garbage", "{\"return\":{}}", "[1,2", String(repeating: "[", count: 1000)])
  func noQMP(line: String) {
    var session = QMPSession()
    #expect(throws: QMPError.self) { try session.receive(Self.bytes(line)) }
  }

  @Test("A line without end is refused before it fills the memory")
  func endless() throws {
    var session = QMPSession()
    let block = [UInt8](repeating: UInt8(ascii: " "), count: 1 << 20)
    #expect(throws: QMPError.self) {
      for _ in 0..<16 { _ = try session.receive(block) }
    }
  }

  @Test("The agent's answers count only after its number has come back")
  func agentSynchronizes() {
    var session = AgentSession()
    func receive(_ text: String) -> [AgentSession.Message] { session.receive(Array(text.utf8)) }
    let sent = session.synchronize(number: 42)
    #expect(sent.first == 0xff)
    // An answer to somebody's earlier question, half a line, another's number.
    let early = receive("{\"return\":{}}\n{\"retu\n{\"return\":41}\n")
    #expect(early.isEmpty)
    #expect(!session.isSynchronized)
    let noise = session.receive(Array("noise".utf8) + [0xff])
    #expect(noise.isEmpty)
    let echo = receive("{\"return\": 42}\n")
    #expect(echo == [.synchronized])
    _ = session.encode("guest-ping")
    let answer = receive("{\"return\": {}}\n")
    #expect(answer == [.reply(.success([:]))])
    // Nothing was asked: nothing is answered.
    let unasked = receive("{\"return\": {}}\n")
    #expect(unasked.isEmpty)
    session.desynchronize()
    #expect(!session.isSynchronized)
  }

  @Test("Lines come out whole however they came in", arguments: [1, 2, 3, 100])
  func lines(pieceSize: Int) {
    var buffer = LineBuffer(limit: 100)
    let text = Array("one\r\n\ntwo\nthree".utf8)
    var lines: [String] = []
    for start in stride(from: 0, to: text.count, by: pieceSize) {
      let fits = buffer.append(Array(text[start..<min(start + pieceSize, text.count)]))
      #expect(fits)
      while let line = buffer.next() { lines.append(String(decoding: line, as: UTF8.self)) }
    }
    #expect(lines == ["one", "", "two"])
    #expect(buffer.rest == Array("three".utf8))
  }
}
