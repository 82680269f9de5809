import Foundation
import NetworkService
import Networking
import Synchronization
import SystemIO
import Testing

@Suite("The host's ports that lead into a network", .serialized)
struct ForwardTests {
  typealias Forward = NetworkConfiguration.Forward
  typealias Rule = NetworkConfiguration.Rule

  static func echo() throws -> TestServer {
    try TestServer { connection in
      while true {
        let bytes = try connection.receive()
        if bytes.isEmpty { break }
        try connection.send(bytes)
      }
      try connection.send(Array("end".utf8))
    }
  }

  static func tcp(_ host: UInt16, _ guest: UInt16, _ address: String = "127.0.0.1") -> Forward {
    Forward(.tcp, hostAddress: address, hostPort: host, guestPort: guest)
  }

  @Test("Both ways pass everything, and what is ended on one way goes on on the other")
  func halfClose() throws {
    let harness = try ForwardHarness(to: Self.echo())
    defer { harness.stop() }
    let port = try TestServer.freePort()
    harness.forward([
      Self.tcp(port, harness.server.port), Self.tcp(port, harness.server.port, "::1"),
    ])
    #expect(harness.ask { $0.problems }.isEmpty)
    for address in ["127.0.0.1", "::1"] {
      let client = try TestSocket(connectedTo: port, .stream, address)
      try client.send(Array("hello".utf8))
      #expect(try client.receive() == Array("hello".utf8))
      try InternetSocket.endSending(client.descriptor)
      #expect(try client.receiveAll() == Array("end".utf8))
    }
  }

  @Test("A hundred connections pass their own bytes each")
  func parallel() throws {
    let harness = try ForwardHarness(to: Self.echo())
    defer { harness.stop() }
    let port = try TestServer.freePort()
    harness.forward([Self.tcp(port, harness.server.port)])
    let clients = try (0..<100).map { _ in try TestSocket(connectedTo: port) }
    let wrong = Atomic(0)
    DispatchQueue.concurrentPerform(iterations: 100) { index in
      let bytes = [UInt8](repeating: UInt8(index), count: 100_000)
      do {
        let sender = Thread {
          do {
            try clients[index].send(bytes)
            try InternetSocket.endSending(clients[index].descriptor)
          } catch {
            Issue.record(error)
          }
        }
        sender.start()
        if try clients[index].receiveAll() != bytes + Array("end".utf8) {
          wrong.add(1, ordering: .relaxed)
        }
      } catch {
        Issue.record(error)
      }
    }
    #expect(wrong.load(ordering: .relaxed) == 0)
  }

  @Test("The end arrives after whatever came before it")
  func ends() throws {
    let piece = 1 << 16
    for pieces in 0...6 {
      let server = try TestServer { connection in
        try connection.send([UInt8](repeating: 1, count: pieces * piece))
      }
      let harness = try ForwardHarness(to: server)
      defer { harness.stop() }
      let port = try TestServer.freePort()
      harness.forward([Self.tcp(port, harness.server.port)])
      for _ in 0..<20 {
        let client = try TestSocket(connectedTo: port)
        // Let it all be there before it is read.
        usleep(2000)
        #expect(try client.receiveAll().count == pieces * piece)
      }
    }
  }

  @Test("Who does not read stops who sends, and gets everything in the end")
  func slowReader() throws {
    let sent = Atomic(0)
    let total = 64 << 20
    let server = try TestServer { connection in
      var left = total
      let piece = [UInt8](repeating: 7, count: 1 << 16)
      while left > 0 {
        try connection.send(piece)
        left -= piece.count
        sent.add(piece.count, ordering: .relaxed)
      }
    }
    let harness = try ForwardHarness(to: server)
    defer { harness.stop() }
    let port = try TestServer.freePort()
    harness.forward([Self.tcp(port, harness.server.port)])
    let client = try TestSocket(connectedTo: port)
    Thread.sleep(forTimeInterval: 0.5)
    let stoppedAt = sent.load(ordering: .relaxed)
    Thread.sleep(forTimeInterval: 0.3)
    #expect(stoppedAt < total / 2)
    #expect(sent.load(ordering: .relaxed) == stoppedAt)
    var received = 0
    while true {
      let bytes = try client.receive()
      if bytes.isEmpty { break }
      received += bytes.count
    }
    #expect(received == total)
  }

  @Test("A guest that does not take the connection, and a filter that does not, abort it")
  func refused() throws {
    let harness = try ForwardHarness(to: Self.echo())
    defer { harness.stop() }
    let port = try TestServer.freePort()
    harness.forward([Self.tcp(port, try TestServer.freePort())])
    #expect(throws: SystemError.self) { try TestSocket(connectedTo: port).receiveAll() }
    let denied = [
      [], [Rule(.udp)], [Rule(.tcp, ports: [1...2])], [Rule(.tcp, peers: ["10.0.0.0/8"])],
    ]
    for rules in denied {
      harness.forward(
        [Self.tcp(port, harness.server.port)], filter: NetworkConfiguration.Filter(ingress: rules))
      #expect(throws: SystemError.self) { try TestSocket(connectedTo: port).receiveAll() }
    }
    harness.forward(
      [Self.tcp(port, harness.server.port)],
      filter: NetworkConfiguration.Filter(
        ingress: [
          Rule(.tcp, ports: [harness.server.port...harness.server.port], peers: ["127.0.0.0/8"])
        ]))
    let client = try TestSocket(connectedTo: port)
    try client.send([1])
    #expect(try client.receive() == [1])
  }

  @Test("What stays keeps its connections; what goes ends them, and its port is free")
  func reconcile() throws {
    let harness = try ForwardHarness(to: Self.echo())
    defer { harness.stop() }
    let ports = [try TestServer.freePort(), try TestServer.freePort()]
    harness.forward(ports.map { Self.tcp($0, harness.server.port) })
    let clients = try ports.map { try TestSocket(connectedTo: $0) }
    for client in clients {
      try client.send([1])
      #expect(try client.receive() == [1])
    }
    harness.forward([Self.tcp(ports[0], harness.server.port)])
    try clients[0].send([2])
    #expect(try clients[0].receive() == [2])
    #expect(throws: SystemError.self) { try clients[1].receiveAll() }
    #expect(throws: SystemError.self) { try TestSocket(connectedTo: ports[1]) }
    // Another port of the guest: the listener stays, the connection does not.
    let other = try Self.echo()
    defer { other.stop() }
    harness.forward([Self.tcp(ports[0], other.port)])
    #expect(throws: SystemError.self) { try clients[0].receiveAll() }
    #expect(try TestSocket(connectedTo: ports[0]).descriptor.raw >= 0)
  }

  @Test("A port that another holds is reported, and taken when it is free")
  func portInUse() throws {
    let harness = try ForwardHarness(to: Self.echo())
    defer { harness.stop() }
    let address = try #require(InternetAddress("127.0.0.1"))
    var holder: Descriptor? = try InternetSocket.listen(.stream, at: InternetEndpoint(address, 0))
    let port = try InternetSocket.localEndpoint(#require(holder)).port
    let forward = Self.tcp(port, harness.server.port)
    harness.forward([forward, Self.tcp(port, harness.server.port, "192.0.2.77")])
    let problems = harness.ask { $0.problems }
    #expect(problems.map(\.forward.hostAddress) == ["127.0.0.1", "192.0.2.77"])
    #expect(problems.first?.problem.contains("use another port") == true)
    #expect(problems.last?.problem.contains("an address that the host has") == true)
    holder = nil
    let end = ContinuousClock.now + .seconds(20)
    while harness.ask({ $0.problems }).count > 1, ContinuousClock.now < end {
      Thread.sleep(forTimeInterval: 0.05)
    }
    #expect(harness.ask { $0.problems }.map(\.forward.hostAddress) == ["192.0.2.77"])
    let client = try TestSocket(connectedTo: port)
    try client.send([1])
    #expect(try client.receive() == [1])
  }

  @Test("More connections than there is room for wait until others end")
  func limit() throws {
    let harness = try ForwardHarness(to: Self.echo(), limit: 2)
    defer { harness.stop() }
    let port = try TestServer.freePort()
    harness.forward([Self.tcp(port, harness.server.port)])
    var clients = try (0..<3).map { _ in try TestSocket(connectedTo: port) }
    for client in clients { try client.send([1]) }
    for client in clients[..<2] { #expect(try client.receive() == [1]) }
    var entries = [PollEntry(clients[2].descriptor.raw, wantsRead: true)]
    try poll(&entries, milliseconds: 300)
    #expect(!entries[0].isReady)
    clients.removeFirst()
    #expect(try clients[1].receive() == [1])
  }

  @Test("Datagrams find their way in and back, each sender's own, and are forgotten when idle")
  func datagrams() throws {
    let harness = try ForwardHarness(to: TestServer(datagrams: ()), limit: 2, idleTime: 200)
    defer { harness.stop() }
    let port = try TestServer.freePort(.datagram)
    harness.forward([
      Forward(.udp, hostAddress: "127.0.0.1", hostPort: port, guestPort: harness.server.port)
    ])
    let clients = try (0..<2).map { _ in try TestSocket(connectedTo: port, .datagram) }
    for round in UInt8(0)..<20 {
      for (index, client) in clients.enumerated() { try client.send([round, UInt8(index)]) }
      for (index, client) in clients.enumerated() {
        #expect(try client.receive() == [round, UInt8(index)])
      }
    }
    let large = [UInt8](repeating: 3, count: 60_000)
    try clients[0].send(large)
    #expect(try clients[0].receive() == large)
    // A third has no room until the others have been silent long enough.
    let third = try TestSocket(connectedTo: port, .datagram)
    let end = ContinuousClock.now + .seconds(20)
    var isAnswered = false
    while !isAnswered, ContinuousClock.now < end {
      try third.send([9])
      var entries = [PollEntry(third.descriptor.raw, wantsRead: true)]
      try poll(&entries, milliseconds: 50)
      isAnswered = entries[0].isReady
    }
    #expect(isAnswered)
  }
}
