import JSON
import Supervision
import SystemIO
import TestSupport
import Testing

@Suite("The RPC of services")
struct RPCTests {
  static let host = HostContext.live()

  /// Runs a service on a thread of its own while `body` runs; the request `end` ends it.
  private func withService(
    _ handle: @escaping @Sendable (RPCRequest) throws -> Void, _ body: (String) throws -> Void
  ) throws {
    let scratch = try Scratch()
    let path = scratch.file("socket")
    let log = try ServiceLog(scratch.file("log"), Self.host)
    let ready = try makePipe(name: "ready")
    let thread = try WorkerThread {
      do {
        let loop = EventLoop(uptime: Self.host.uptime)
        let server = try RPCServer(path, loop: loop, log: log, host: Self.host) { request in
          guard request.method == "end" else { return try handle(request) }
          request.answer(.success([:]))
          loop.stop()
        }
        try ready.write.write([1])
        try loop.run()
        try server.close()
      } catch {
        log.write("\(error)")
      }
    }
    var entries = [PollEntry(ready.read.raw, wantsRead: true)]
    try poll(&entries, milliseconds: 10_000)
    defer { thread.join() }
    do {
      try body(path)
    } catch {
      Issue.record(error)
    }
    // The body may have ended it.
    guard let connection = try? RPCConnection(path, peer: "it", host: Self.host) else { return }
    _ = try connection.call("end", milliseconds: 10_000)
  }

  @Test("An answer brings a descriptor, among others that don't and after one nobody waited for")
  func descriptors() throws {
    let scratch = try Scratch()
    let directory = scratch.path
    let handle: @Sendable (RPCRequest) throws -> Void = { request in
      let name = try request.params.member("name").string()
      guard request.method == "open" else {
        return request.answer(.success(.string(String(repeating: name, count: 100_000))))
      }
      try replaceFile(directory + "/" + name, with: Array(name.utf8))
      let file = try Descriptor.open(directory + "/" + name, .read)
      request.answer(.string(name), passing: file)
    }
    try withService(handle) { path in
      let connection = try RPCConnection(path, peer: "it", host: Self.host)
      #expect(throws: RPCError("it did not answer 'open' in time")) {
        try connection.callForDescriptor("open", ["name": "late"], milliseconds: 0)
      }
      for name in ["one", "two", "three"] {
        let answer = try connection.callForDescriptor(
          "open", ["name": .string(name)], milliseconds: 10_000)
        #expect(answer.result == .string(name))
        #expect(try answer.descriptor.readAll(limit: 100) == Array(name.utf8))
        let long = try connection.call("say", ["name": .string(name)], milliseconds: 10_000)
        #expect(long.string?.utf8.count == 100_000 * name.utf8.count)
      }
      #expect(throws: RPCError("it answered 'say' without a descriptor")) {
        try connection.callForDescriptor("say", ["name": "x"], milliseconds: 10_000)
      }
      #expect(throws: RPCError("'params.name' should be there")) {
        try connection.call("open", milliseconds: 10_000)
      }
    }
  }

  @Test("What a client does not take in waits, descriptors at their places")
  func queued() throws {
    let count = 200
    let handle: @Sendable (RPCRequest) throws -> Void = { request in
      for number in 0..<count {
        let pipe = try makePipe(name: "\(number)")
        try pipe.write.write([UInt8(number)])
        request.answer(.string(String(repeating: "x", count: 5000)), passing: pipe.read)
      }
    }
    try withService(handle) { path in
      let socket = try StreamSocket.connect(path)
      _ = try StreamSocket.send(Array("{\"method\":\"fill\"}\n".utf8)[...], on: socket)
      var got: [UInt8] = []
      var lines = LineBuffer(limit: 1 << 20)
      var complete = 0
      while complete < count {
        var entries = [PollEntry(socket.raw, wantsRead: true)]
        try poll(&entries, milliseconds: 10_000)
        guard entries[0].isReady,
          let part = try PassedDescriptor.receive(from: socket, name: "one of many"),
          !part.bytes.isEmpty
        else { break }
        if let pipe = part.descriptor { got += try pipe.readAll(limit: 10) }
        _ = lines.append(part.bytes)
        while lines.next() != nil { complete += 1 }
        // Never one answer complete whose descriptor is not there.
        #expect(got.count >= complete)
      }
      #expect(got == (0..<count).map { UInt8($0) })
    }
  }

  @Test("A client in a loop gets answers and descriptors, each call its own, also at the end")
  func inLoop() throws {
    let handle: @Sendable (RPCRequest) throws -> Void = { request in
      switch request.method {
      case "open":
        let name = try request.params.member("name").string()
        let pipe = try makePipe(name: name)
        try pipe.write.write(Array(name.utf8))
        request.answer(.string(name), passing: pipe.read)
      case "never": break
      default: throw RPCError("unknown")
      }
    }
    var told: [String] = []
    try withService(handle) { path in
      let loop = EventLoop(uptime: Self.host.uptime)
      let channel = try RPCChannel(loop, path, peer: "it")
      func call(_ method: String, _ name: String, milliseconds: Int = 10_000) {
        channel.call(method, ["name": .string(name)], milliseconds: milliseconds) { result in
          switch result {
          case .failure(let error): told.append("\(name): \(error)")
          case .success(let answer):
            let bytes = try? answer.descriptor?.readAll(limit: 100)  // None is told as such.
            told.append("\(name): \(String(decoding: bytes ?? [], as: UTF8.self))")
          }
          if name == "late" { call("end", "last") }
        }
      }
      channel.onClose = {
        told.append("closed")
        loop.stop()
      }
      call("open", "one")
      call("nonsense", "two")
      call("open", "three")
      call("never", "waiting")
      call("never", "late", milliseconds: 50)
      #expect(told == [])
      try loop.run()
    }
    #expect(
      told == [
        "one: one", "two: unknown", "three: three", "late: it did not answer 'never' in time",
        "last: ", "waiting: it ended before it answered 'never'", "closed",
      ])
  }
}
