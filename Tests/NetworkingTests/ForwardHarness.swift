import Foundation
import NetworkService
import Networking
import Supervision
import Synchronization
import SystemIO
import Testing

/// A proxy on a thread of its own, whose `dial` connects to servers on the host's loopback.
final class ForwardHarness: @unchecked Sendable {
  /// In a guest's place.
  let server: TestServer
  // Touched by the loop's thread alone, but for `post`.
  private let loop: EventLoop
  private var proxy: ForwardProxy?
  private let posted = Mutex<[@Sendable (ForwardProxy) -> Void]>([])
  private let wake: (read: Descriptor, write: Descriptor)

  init(to server: TestServer, limit: Int = 1024, idleTime: Int = 60_000) throws {
    self.server = server
    loop = EventLoop(uptime: HostContext.live().uptime)
    wake = try makePipe(name: "test")
    let proxy = ForwardProxy(loop, limit: limit, idleTime: idleTime) {
      transport, address, port, answer in
      let result = Result {
        try InternetSocket.connect(
          transport == .tcp ? .stream : .datagram,
          to: #require(InternetAddress(address)), port: port)
      }
      answer(result.mapError { NetworkError("\($0)") })
    }
    self.proxy = proxy
    loop.watch(wake.read) { [unowned self] _, _ in
      var byte: UInt8 = 0
      _ = Glibc.read(wake.read.raw, &byte, 1)
      let bodies = posted.withLock { bodies in
        defer { bodies = [] }
        return bodies
      }
      for body in bodies { body(proxy) }
    }
    Thread { [self] in
      do { try loop.run() } catch { Issue.record(error) }
    }.start()
  }

  /// Runs a body on the loop's thread and answers what it answers.
  func ask<Value: Sendable>(_ body: @escaping @Sendable (ForwardProxy) -> Value) -> Value {
    let answer = Answer<Value>()
    let done = DispatchSemaphore(value: 0)
    post { proxy in
      let value = body(proxy)
      answer.value.withLock { $0 = value }
      done.signal()
    }
    done.wait()
    guard let value = answer.value.withLock({ $0 }) else { preconditionFailure("answered") }
    return value
  }

  private final class Answer<Value: Sendable>: Sendable {
    let value = Mutex<Value?>(nil)
  }

  private func post(_ body: @escaping @Sendable (ForwardProxy) -> Void) {
    posted.withLock { $0.append(body) }
    var byte: UInt8 = 1
    _ = Glibc.write(wake.write.raw, &byte, 1)
  }

  /// Forwards from these ports of the host on.
  func forward(
    _ forwards: [NetworkConfiguration.Forward], filter: NetworkConfiguration.Filter? = nil
  ) {
    let port = NetworkConfiguration.Port(
      id: "a/lan", mac: "52:54:00:00:00:0a", address: "127.0.0.1", hostName: "a",
      forwards: forwards, filter: filter)
    ask { $0.reconcile([port]) }
  }

  func stop() {
    server.stop()
    ask { [self] proxy in
      proxy.stop()
      loop.unwatch(wake.read)
      loop.stop()
    }
  }
}

/// A socket that a test's thread waits on.
struct TestSocket: Sendable {
  let descriptor: Descriptor

  init(_ descriptor: Descriptor) { self.descriptor = descriptor }

  init(
    connectedTo port: UInt16, _ sort: InternetSocket.Sort = .stream, _ host: String = "127.0.0.1"
  )
    throws
  {
    descriptor = try InternetSocket.connect(
      sort, to: #require(InternetAddress(host)), port: port)
    try ready(write: true)
    if let error = StreamSocket.pendingError(descriptor) { throw error }
  }

  private func ready(write: Bool) throws {
    var entries = [PollEntry(descriptor.raw, wantsRead: !write, wantsWrite: write)]
    try poll(&entries, milliseconds: 20_000)
    try #require(entries[0].isReady, "nothing came for 20 s")
  }

  /// What comes next; empty at the end.
  func receive() throws -> [UInt8] {
    while true {
      try ready(write: false)
      if let bytes = try StreamSocket.receive(from: descriptor, atMost: 1 << 16) { return bytes }
    }
  }

  /// Everything up to the end.
  func receiveAll() throws -> [UInt8] {
    var all: [UInt8] = []
    while true {
      let bytes = try receive()
      if bytes.isEmpty { return all }
      all += bytes
    }
  }

  func send(_ bytes: [UInt8]) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      try ready(write: true)
      rest = rest.dropFirst(try StreamSocket.send(rest, on: descriptor))
    }
  }
}

/// What listens on the loopback in a guest's place.
final class TestServer: Sendable {
  let port: UInt16
  private let listener: Descriptor
  private let isOver = Atomic(false)

  /// Serves each connection on a thread of its own.
  init(_ serve: @escaping @Sendable (TestSocket) throws -> Void) throws {
    let socket = try TestServer.socket(.stream)
    (listener, port) = (socket.0, socket.1)
    run { [listener] in
      if let connection = try StreamSocket.accept(listener) {
        Thread {
          // A test may end, and its connections with it.
          try? serve(TestSocket(connection))
        }.start()
      }
    }
  }

  /// Answers each datagram with itself.
  init(datagrams: Void) throws {
    let socket = try TestServer.socket(.datagram)
    (listener, port) = (socket.0, socket.1)
    run { [listener] in
      if let datagram = try InternetSocket.receive(from: listener) {
        try InternetSocket.send(datagram.bytes, to: datagram.sender, on: listener)
      }
    }
  }

  func stop() { isOver.store(true, ordering: .relaxed) }

  /// A port of the loopback that nobody listens on.
  static func freePort(_ sort: InternetSocket.Sort = .stream) throws -> UInt16 {
    try socket(sort).1
  }

  private static func socket(_ sort: InternetSocket.Sort) throws -> (Descriptor, UInt16) {
    let address = try #require(InternetAddress("127.0.0.1"))
    let socket = try InternetSocket.listen(sort, at: InternetEndpoint(address, 0))
    return (socket, try InternetSocket.localEndpoint(socket).port)
  }

  private func run(_ body: @escaping @Sendable () throws -> Void) {
    Thread { [self] in
      while !isOver.load(ordering: .relaxed) {
        var entries = [PollEntry(listener.raw, wantsRead: true)]
        do {
          try poll(&entries, milliseconds: 50)
          if entries[0].isReady { try body() }
        } catch {
          Issue.record(error)
        }
      }
    }.start()
  }
}
