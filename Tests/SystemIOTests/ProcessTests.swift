import Glibc
import SystemIO
import Testing

@Suite("Processes")
struct ProcessTests {
  static let host = HostContext.live()

  @Test("A program gets the arguments, environment, directory and descriptors named, no others")
  func spawn() throws {
    let leaked = try Descriptor.open("/dev/null", .read)
    // Even one that lacks close-on-exec.
    let raw = dup(leaked.raw)
    defer { close(raw) }
    let text = try Descriptor.open("/proc/self/comm", .read)
    let result = try SpawnRequest(
      "/bin/sh", ["-c", "echo \"$1|$A|$PWD\"; ls /proc/self/fd; cat <&7", "sh", "a b'\"\n*"],
      environment: ["A=1", "PATH=/usr/bin:/bin"], directory: "/tmp",
      descriptors: [(target: 7, source: text)]
    ).run(milliseconds: 30_000, host: Self.host)
    #expect(result.end == .exited(0))
    let lines = String(decoding: result.output, as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    #expect(lines.prefix(2) == ["a b'\"", "*|1|/tmp"])
    // 3 is the list's own.
    #expect(lines.dropFirst(2).prefix { Int($0) != nil } == ["0", "1", "2", "3", "7"])
  }

  @Test("Descriptors can change places")
  func swapped() throws {
    let one = try makePipe(name: "one")
    let two = try makePipe(name: "two")
    try one.write.write(Array("1".utf8))
    try two.write.write(Array("2".utf8))
    let result = try SpawnRequest(
      "/bin/sh", ["-c", "head -c1 /dev/fd/\(two.read.raw); head -c1 /dev/fd/\(one.read.raw)"],
      environment: ["PATH=/usr/bin:/bin"],
      descriptors: [
        (target: one.read.raw, source: two.read), (target: two.read.raw, source: one.read),
      ]
    ).run(milliseconds: 30_000, host: Self.host)
    #expect(String(decoding: result.output, as: UTF8.self) == "12")
  }

  @Test("What a program leaves is told: status, signal, or that its time was over")
  func ends() throws {
    func end(_ script: String, _ time: Int) throws -> ProcessEnd? {
      try SpawnRequest("/bin/sh", ["-c", script], environment: ["PATH=/usr/bin:/bin"])
        .run(milliseconds: time, limit: 1 << 16, host: Self.host).end
    }
    #expect(try end("exit 3", 30_000) == .exited(3))
    #expect(try end("kill -9 $$", 30_000) == .signalled(9))
    #expect(try end("exec sleep 1000", 50) == nil)
    #expect(try end("exec yes", 30_000) == nil)
    #expect(throws: SystemError("start", "/nonexistent", errno: ENOENT)) {
      try SpawnRequest("/nonexistent", []).spawn()
    }
  }

  @Test("A process is the same only with its start time and its boot")
  func identity() throws {
    let pid = try SpawnRequest("/bin/sleep", ["1000"]).spawn()
    let child = try ProcessHandle(childID: pid, bootID: Self.host.bootID)
    let identity = child.identity
    #expect(identity.liveness(currentBootID: Self.host.bootID) == .alive)
    let older = ProcessIdentity(
      pid: pid, startTime: identity.startTime - 1, bootID: identity.bootID)
    #expect(older.liveness(currentBootID: Self.host.bootID) == .dead)
    #expect(identity.liveness(currentBootID: "another") == .dead)
    #expect(try child.wait(noHang: true) == nil)
    #expect(try !child.hasEnded())
    try child.signal(SIGKILL)
    // A zombie is dead.
    while try !child.hasEnded() {}
    #expect(identity.liveness(currentBootID: Self.host.bootID) == .dead)
    #expect(try child.wait() == .signalled(SIGKILL))
    try child.signal(SIGKILL)
    #expect(throws: SystemError("wait for process", "\(pid)", errno: ECHILD)) { try child.wait() }
  }

  @Test("A detached program is nobody's child here, in a session of its own")
  func detached() throws {
    let pipe = try makePipe(name: "pid")
    let pid: Int32
    do {
      pid = try SpawnRequest(
        "/bin/sh", ["-c", "echo $$; cut -d' ' -f4,6 /proc/$$/stat"],
        environment: ["PATH=/usr/bin:/bin"], descriptors: [(target: 1, source: pipe.write)],
        detached: true
      ).spawn()
    }
    // The program's own copy of the other end is the last.
    let text = try readToEnd(pipe.read)
    let lines = text.split(separator: "\n")
    #expect(lines.first == "\(pid)")
    #expect(lines.last?.hasSuffix(" \(pid)") == true)
    var status: Int32 = 0
    #expect(waitpid(pid, &status, WNOHANG) == -1)
  }

  private func readToEnd(_ pipe: Descriptor) throws -> String {
    var bytes: [UInt8] = []
    let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 1)
    defer { chunk.deallocate() }
    while bytes.count(where: { $0 == UInt8(ascii: "\n") }) < 2 {
      let count = try pipe.read(into: chunk)
      if count == 0 { break }
      bytes += chunk[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

@Suite("Sockets")
struct SocketTests {
  @Test("A listener is open to its owner alone, replaces a dead one, and knows its peer")
  func listener() throws {
    let directory = "/tmp/ingot-socket-test-\(HostContext.live().makeUUID())"
    try makeDirectories(directory)
    defer { try? removeTree(directory) }
    let path = directory + "/s"
    try replaceFile(path, with: [])
    let listener = try StreamSocket.listen(path)
    var status = stat()
    #expect(lstat(path, &status) == 0)
    #expect(status.st_mode & 0o7777 == 0o600)
    #expect(try StreamSocket.accept(listener) == nil)
    let client = try StreamSocket.connect(path)
    let server = try #require(try StreamSocket.accept(listener))
    #expect(try StreamSocket.peerUserID(server) == effectiveUserID())
    #expect(try StreamSocket.receive(from: server) == nil)
    #expect(try StreamSocket.send([1, 2, 3][...], on: client) == 3)
    #expect(try StreamSocket.receive(from: server) == [1, 2, 3])
  }

  @Test("Nobody listening is told from nothing there")
  func refused() throws {
    let directory = "/tmp/ingot-socket-test-\(HostContext.live().makeUUID())"
    try makeDirectories(directory)
    defer { try? removeTree(directory) }
    let path = directory + "/s"
    var error = #expect(throws: SystemError.self) { try StreamSocket.connect(path) }
    #expect(error?.isNotFound == true)
    do { _ = try StreamSocket.listen(path) }
    error = #expect(throws: SystemError.self) { try StreamSocket.connect(path) }
    #expect(error?.isRefused == true)
    let long = directory + "/" + String(repeating: "x", count: 120)
    error = #expect(throws: SystemError.self) { try StreamSocket.listen(long) }
    #expect(error?.errno == ENAMETOOLONG)
  }
}
