import Glibc
import Networking
import Synchronization
import SystemIO
import TestSupport
import Testing

@testable import Commands

@Suite("Ports of the host that lead into a guest")
struct PortForwardTests {
  @Test(
    "how they are written",
    arguments: [
      ("80", 80, 80, false), ("8080:80", 8080, 80, false), (":80", nil, 80, false),
      ("5353:53/udp", 5353, 53, true), ("80/tcp", 80, 80, false),
    ] as [(String, UInt16?, UInt16, Bool)])
  func pairs(text: String, host: UInt16?, guest: UInt16, isUDP: Bool) throws {
    let pair = try #require(PortPair(argument: text))
    #expect(pair.host == host)
    #expect(pair.guest == guest)
    #expect(pair.isUDP == isUDP)
  }

  @Test(
    "how they are not written",
    arguments: [
      "", ":", "0", "80:", "a:80", "80:80:80", "65536", "-1", "80/sctp", "80/udp/tcp", "0:80",
    ])
  func nonsense(text: String) { #expect(PortPair(argument: text) == nil) }

  /// A listener that answers each connection by what came, in capitals.
  private func echo() throws -> UInt16 {
    let loopback = try #require(InternetAddress("127.0.0.1"))
    let listener = try InternetSocket.listen(.stream, at: InternetEndpoint(loopback, 0))
    try WorkerThread {
      while true {
        var entries = [PollEntry(listener.raw, wantsRead: true)]
        guard (try? poll(&entries, milliseconds: 10_000)) != nil,
          let socket = try? StreamSocket.accept(listener)
        else { return }
        _ = fcntl(socket.raw, F_SETFL, 0)
        guard let bytes = try? socket.readAll(limit: 1 << 16) else { return }
        try? socket.write(Array(String(decoding: bytes, as: UTF8.self).uppercased().utf8))
      }
    }.detach()
    return try InternetSocket.localEndpoint(listener).port
  }

  private func ask(_ port: UInt16, _ text: String) throws -> String {
    let socket = try StreamSocket.connect(address: "127.0.0.1", port: port)
    var entries = [PollEntry(socket.raw, wantsWrite: true)]
    try poll(&entries, milliseconds: 5000)
    _ = fcntl(socket.raw, F_SETFL, 0)
    try socket.write(Array(text.utf8))
    try InternetSocket.endSending(socket)
    return String(decoding: try socket.readAll(limit: 1 << 16), as: UTF8.self)
  }

  private func freePort() throws -> UInt16 {
    let loopback = try #require(InternetAddress("127.0.0.1"))
    return try InternetSocket.localEndpoint(
      try InternetSocket.listen(.stream, at: InternetEndpoint(loopback, 0))
    ).port
  }

  @Test("what comes in goes to the dialled guest and back, until it is ended")
  func forwarding() throws {
    let guest = try echo()
    let (first, second) = (try freePort(), try freePort())
    let dialled = Mutex<[String]>([])
    let said = Mutex<[String]>([])
    let dial = GuestDial { transport, address, port in
      dialled.withLock { $0.append("\(transport.rawValue) \(address) \(port)") }
      guard port == 80 else { throw NetworkError("nobody listens there") }
      return try StreamSocket.connect(address: "127.0.0.1", port: guest)
    }
    let forwarding = PortForwarding(
      machine: "web1", addresses: ["10.77.0.11", "fd12::b"],
      forwards: [
        .init(.tcp, hostAddress: "127.0.0.1", hostPort: first, guestPort: 80),
        .init(.tcp, hostAddress: "127.0.0.1", hostPort: second, guestPort: 81),
      ], dial: dial, uptime: HostContext.live().uptime,
      say: { text in said.withLock { $0.append(text) } })
    let (end, ready) = (try makePipe(name: "end"), try makePipe(name: "ready"))
    let thread = try WorkerThread {
      do {
        try forwarding.run(until: end.read) { try? ready.write.write([1]) }
      } catch {
        Issue.record(error)
      }
    }
    var entries = [PollEntry(ready.read.raw, wantsRead: true)]
    try poll(&entries, milliseconds: 10_000)
    #expect(try ask(first, "hello") == "HELLO")
    #expect(try ask(first, "again") == "AGAIN")
    // A guest that can't be reached is an error of the connection, and is told.
    #expect(throws: SystemError.self) { _ = try ask(second, "x") }
    try end.write.write([1])
    thread.join()
    #expect(
      dialled.withLock { $0 } == ["tcp 10.77.0.11 80", "tcp 10.77.0.11 80", "tcp 10.77.0.11 81"])
    #expect(said.withLock { $0 } == ["cannot connect to web1:81: nobody listens there"])
    #expect(throws: SystemError.self) { _ = try ask(first, "x") }
  }

  @Test("a port that another listens on is refused before anything is forwarded")
  func taken() throws {
    let taken = try echo()
    let forwarding = PortForwarding(
      machine: "web1", addresses: ["10.77.0.11"],
      forwards: [.init(.tcp, hostAddress: "127.0.0.1", hostPort: taken, guestPort: 80)],
      dial: GuestDial { _, _, _ in throw NetworkError("never asked") },
      uptime: HostContext.live().uptime, say: { _ in })
    let end = try makePipe(name: "end")
    #expect {
      try forwarding.run(until: end.read) { Issue.record("it is not ready") }
    } throws: { error in
      let message = ErrorReport(error).message
      return message.contains("port \(taken) can't be forwarded") && message.contains("in use")
    }
  }
}
