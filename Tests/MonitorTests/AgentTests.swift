import JSON
import QEMU
import Supervision
import SystemIO
import Testing

@testable import Monitor

/// The line to the guest agent, against an agent that is played here in the same event loop.
@Suite("The guest agent")
struct AgentTests {
  /// What the played agent does with a command.
  enum Reaction {
    case answer(String)
    case ignore
  }

  private final class Scene {
    let loop = EventLoop(uptime: Machine.host.uptime)
    let directory = "/tmp/ingot-agent-test-\(Machine.host.makeUUID())"
    let channel: AgentChannel
    private let listener: Descriptor
    private let server: StreamChannel
    private var lines = LineBuffer(limit: 1 << 20)
    var commands: [String] = []

    init(_ react: @escaping (String, JSONValue) -> Reaction) throws {
      try makeDirectories(directory)
      listener = try StreamSocket.listen(directory + "/agent")
      channel = try AgentChannel(loop, path: directory + "/agent", host: Machine.host)
      channel.isGuestListening = true
      let socket = try #require(try StreamSocket.accept(listener))
      server = StreamChannel(loop, socket, outputLimit: 1 << 20)
      server.onBytes = { [unowned self] bytes in
        _ = lines.append(bytes)
        while let line = lines.next() {
          let text = line.drop { $0 == 0xff }
          guard let value = try? JSONValue(parsing: text) else { continue }
          let name = value["execute"]?.string ?? ""
          commands.append(name)
          if name == "guest-sync-delimited" {
            let id = value["arguments"]?["id"]?.integer ?? 0
            server.send([0xff] + Array("{\"return\": \(id)}\n".utf8))
          } else if case .answer(let answer) = react(name, value) {
            server.send(Array((answer + "\n").utf8))
          }
        }
      }
    }

    deinit { try? removeTree(directory) }

    func run() throws {
      loop.after(milliseconds: 30_000) { [unowned self] in
        Issue.record("nothing came")
        loop.stop()
      }
      try loop.run()
    }
  }

  @Test("Commands go one by one, after one synchronisation, each with its own answer")
  func inOrder() throws {
    let scene = try Scene { name, _ in .answer("{\"return\": \"\(name)\"}") }
    var answers: [String?] = []
    for name in ["guest-ping", "guest-info", "guest-get-time"] {
      scene.channel.execute(name, deadline: 20_000) { result in
        if case .success(let value) = result { answers.append(value.string) }
        if answers.count == 3 { scene.loop.stop() }
      }
    }
    try scene.run()
    #expect(answers == ["guest-ping", "guest-info", "guest-get-time"])
    #expect(
      scene.commands == ["guest-sync-delimited", "guest-ping", "guest-info", "guest-get-time"])
  }

  @Test("After an answer that did not come, the next command synchronises anew")
  func lost() throws {
    let scene = try Scene { name, _ in
      name == "guest-fsfreeze-freeze" ? .ignore : .answer("{\"return\": {}}")
    }
    var outcomes: [String] = []
    scene.channel.execute("guest-fsfreeze-freeze", deadline: 50) { result in
      if case .failure(.timeout(let command, 50)) = result { outcomes.append(command) }
    }
    scene.channel.execute("guest-ping", deadline: 20_000) { result in
      if case .success = result { outcomes.append("pong") }
      scene.loop.stop()
    }
    try scene.run()
    #expect(outcomes == ["guest-fsfreeze-freeze", "pong"])
    #expect(
      scene.commands == [
        "guest-sync-delimited", "guest-fsfreeze-freeze", "guest-sync-delimited", "guest-ping",
      ])
  }

  @Test("A command in the guest is asked after until it ends, and its output comes back")
  func exec() throws {
    var asked = 0
    let scene = try Scene { name, value in
      if name == "guest-exec" {
        #expect(value["arguments"]?["path"] == "/bin/echo")
        #expect(value["arguments"]?["arg"] == ["hello"])
        #expect(value["arguments"]?["input-data"] == "c2F5")
        return .answer("{\"return\": {\"pid\": 7}}")
      }
      asked += 1
      if asked < 3 { return .answer("{\"return\": {\"exited\": false}}") }
      return .answer(
        "{\"return\": {\"exited\": true, \"exitcode\": 0, \"out-data\": \"aGVsbG8K\"}}")
    }
    var result: GuestCommandResult?
    AgentExec.run(
      ["/bin/echo", "hello"], input: "c2F5", on: scene.channel, loop: scene.loop,
      now: Machine.host.uptime,
      milliseconds: 20_000
    ) { outcome in
      if case .success(let value) = outcome { result = try? GuestCommandResult(JSONReader(value)) }
      scene.loop.stop()
    }
    try scene.run()
    #expect(result?.status == 0)
    #expect(result?.output == Array("hello\n".utf8))
    #expect(asked == 3)
  }

  @Test(
    "Base64 there and back gives the same, as RFC 4648 has it",
    arguments: [
      ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
      ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ])
  func base64(_ plain: String, _ encoded: String) {
    #expect(encodeBase64(Array(plain.utf8)) == encoded)
    #expect(decodeBase64(encoded) == Array(plain.utf8))
  }

  @Test("A guest that closes its end fails what waits, at once")
  func closed() throws {
    let scene = try Scene { _, _ in .ignore }
    var failure: QMPError?
    scene.channel.execute("guest-ping", deadline: 20_000) { result in
      if case .failure(let error) = result { failure = error }
      scene.loop.stop()
    }
    scene.loop.after(milliseconds: 20) { scene.channel.isGuestListening = false }
    try scene.run()
    #expect(failure == .noAgent(command: "guest-ping"))
  }

  @Test(
    "Base64 is decoded, and what is none is refused",
    arguments: [
      ("", []), ("TQ==", [77]), ("TWE=", [77, 97]), ("TWFu", [77, 97, 110]),
      ("+/+/", [251, 255, 191]),
      ("TQ=", nil), ("T===", nil), ("TW!u", nil),
    ] as [(String, [UInt8]?)])
  func base64(text: String, bytes: [UInt8]?) {
    #expect(decodeBase64(text) == bytes)
  }
}

@Suite("Small parts of the monitor")
struct PartsTests {
  @Test("A text is found however the console's bytes come in", arguments: [1, 2, 3, 5, 100])
  func textMatch(pieceSize: Int) {
    let bytes = Array("aaab login: aab".utf8)
    for (text, isThere) in [("aab", true), ("login:", true), ("aaaa", false), ("aab!", false)] {
      var match = TextMatch(Array(text.utf8))
      for start in stride(from: 0, to: bytes.count, by: pieceSize) {
        match.take(Array(bytes[start..<min(start + pieceSize, bytes.count)]))
      }
      #expect(match.isFound == isThere, "\(text)")
    }
  }

  @Test("The wait before a restart doubles up to its limit and never overflows")
  func waits() {
    let delay = RestartDelay()
    #expect([1, 2, 3, 10, 11, 12].map(delay.wait) == [100, 200, 400, 51_200, 60_000, 60_000])
    #expect(RestartDelay(initial: .max, maximum: 5).wait(afterEnds: .max) == 5)
    #expect(delay.wait(afterEnds: 0) == 100)
  }

  @Test("A run is a success after ten minutes, or once it was up for ten seconds")
  func success() {
    let delay = RestartDelay()
    #expect(!delay.isReset(ran: 599_999, up: nil))
    #expect(delay.isReset(ran: 600_000, up: nil))
    #expect(!delay.isReset(ran: 30_000, up: 9_999))
    #expect(delay.isReset(ran: 30_000, up: 10_000))
  }

  @Test("Only connections that came in at the port count, by their state")
  func userNetwork() {
    let text = """
      Hub -1 (lan):\r
        Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ\r
        TCP[ESTABLISHED]   15       127.0.0.1  2222       10.0.2.15    22     0     0\r
        TCP[SYN_SENT]      16       127.0.0.1  2222       10.0.2.15    22     0     0\r
        TCP[ESTABLISHED]   17       127.0.0.1  8080       10.0.2.15    80     0     0\r
        TCP[HOST_FORWARD]  12       127.0.0.1  2222       10.0.2.15    22     0     0\r
        UDP[236 sec]       18       127.0.0.1  2222       10.0.2.15    22     0     0\r
      """
    #expect(TCPProbe.states(of: 2222, in: text) == ["ESTABLISHED", "SYN_SENT"])
    #expect(TCPProbe.states(of: 8080, in: text) == ["ESTABLISHED"])
    #expect(TCPProbe.states(of: 22, in: text).isEmpty)
    #expect(TCPProbe.states(of: 1, in: "garbage\n\nTCP[\n").isEmpty)
  }

  @Test(
    "A configuration is the same after JSON, whatever it probes",
    arguments: [
      nil, Probe(.guestAgent), Probe(.exec(command: ["/bin/true", "a b"])),
      Probe(.tcp(address: "127.0.0.1", port: 80, through: .userNetwork)),
      Probe(.tcp(address: "127.0.0.1", port: 80, through: .host)),
      Probe(.tcp(address: "10.88.0.2", port: 80, through: .network("/n/lab"))),
      Probe(.console(text: "login:"), initialDelay: 5, failureThreshold: 9),
    ] as [Probe?])
  func roundTrip(probe: Probe?) throws {
    let configuration = MonitorConfiguration(
      machineID: "m", generation: "7", qemu: "/q",
      machine: MachineSpec(name: "n", uuid: "u", memory: 1, accelerator: .tcg),
      strategy: .rerunOnFailure, restartDelay: RestartDelay(initial: 3), grace: 4,
      readiness: probe, networkExecutable: "/b/ingot-network")
    let text = configuration.json.text()
    #expect(try MonitorConfiguration(JSONReader(JSONValue(parsing: text))) == configuration)
  }

  @Test("What earlier releases wrote is read")
  func earlier() throws {
    let configuration = MonitorConfiguration(
      machineID: "m", generation: "7", qemu: "/q",
      machine: MachineSpec(name: "n", uuid: "u", memory: 1, accelerator: .tcg))
    var json = configuration.json.object ?? [:]
    json["networkExecutable"] = nil
    var policy = try #require(json["policy"]?.object)
    var delay = try #require(policy["restartDelay"]?.object)
    #expect(delay["resetAfterUp"] != nil)
    delay["resetAfterUp"] = nil
    policy["restartDelay"] = .object(delay)
    json["policy"] = .object(policy)
    #expect(try MonitorConfiguration(JSONReader(.object(json))) == configuration)
    let record = StartedRecord(
      process: ProcessIdentity(pid: 7, startTime: 8, bootID: "b"),
      time: Timestamp(seconds: 1, nanoseconds: 2), generation: "7", accelerator: "tcg",
      consoleStart: 3, taps: [])
    var written = record.json.object ?? [:]
    written["taps"] = nil
    #expect(try StartedRecord(JSONReader(.object(written))) == record)
  }
}
