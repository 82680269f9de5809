import Glibc
import Supervision
import SystemIO
import TestSupport
import Testing

@Suite("Processes beside a service")
struct SideProcessTests {
  static let host = HostContext.live()

  /// A service's loop and one process beside it.
  private final class Bench {
    let scratch: Scratch
    let loop = EventLoop(uptime: SideProcessTests.host.uptime)
    let log: ServiceLog

    init() throws {
      scratch = try Scratch()
      log = try ServiceLog(scratch.file("log"), SideProcessTests.host)
    }

    func process() -> SideProcess {
      SideProcess(
        "it", record: scratch.file("record"), output: scratch.file("output"), loop: loop, log: log,
        host: SideProcessTests.host,
        delay: RestartDelay(initial: 20, maximum: 40, resetAfter: 60_000))
    }

    func shell(_ script: String) -> SpawnRequest {
      SpawnRequest("/bin/sh", ["-c", script], environment: ["PATH=/usr/bin:/bin"])
    }

    /// Runs the loop until `done`; the limit is for a test that fails.
    func run(until done: @escaping () -> Bool) throws {
      let end = SideProcessTests.host.uptime() + 10_000_000_000
      func look() {
        if done() || SideProcessTests.host.uptime() > end { return loop.stop() }
        loop.after(milliseconds: 5, look)
      }
      look()
      try loop.run()
      #expect(done())
    }

    func output() throws -> String {
      String(decoding: try readFile(scratch.file("output")), as: UTF8.self)
    }
  }

  @Test("One that ends by itself is started again, each time with what is asked for then")
  func restarts() throws {
    let bench = try Bench()
    let process = bench.process()
    var runs = 0
    process.keep(context: "a") {
      runs += 1
      return bench.shell("echo run \(runs); exec sleep \(runs < 3 ? 0 : 1000)")
    } then: { result in
      #expect(throws: Never.self) { try result.get() }
    }
    try bench.run { runs == 3 && (try? bench.output()) == "run 1\nrun 2\nrun 3\n" }
    #expect(process.restarts == 2)
    #expect(process.problem == "")
    let pid = try #require(process.process?.identity.pid)
    process.leave()
    #expect(kill(pid, SIGKILL) == 0)
  }

  @Test("Another service takes up what runs, leaves it in the same setting, ends it in another")
  func adoption() throws {
    let bench = try Bench()
    let first = bench.process()
    first.keep(context: "a") {
      bench.shell("exec sleep 1000")
    } then: { _ in
    }
    let pid = try #require(first.process?.identity.pid)
    first.leave()
    // A loop that was stopped is of no more use; the record is what joins the two.
    let later = EventLoop(uptime: Self.host.uptime)
    let second = SideProcess(
      "it", record: bench.scratch.file("record"), output: bench.scratch.file("output"),
      loop: later, log: bench.log, host: Self.host)
    try second.adopt()
    #expect(second.process?.identity.pid == pid)
    var isDone = false
    second.keep(context: "a") {
      Issue.record("it runs already")
      return bench.shell("exit")
    } then: { _ in
      isDone = true
    }
    #expect(isDone)
    second.keep(context: "b") {
      bench.shell("exec sleep 1000")
    } then: { _ in
      second.stop { later.stop() }
    }
    try later.run()
    #expect(second.process == nil)
    #expect(!fileExists(bench.scratch.file("record")))
    #expect(kill(pid, 0) == -1)
  }

  @Test("One that does not end when it is told to is killed")
  func stubborn() throws {
    let bench = try Bench()
    let process = bench.process()
    process.keep(context: "a") {
      bench.shell("trap '' TERM; echo ready; while :; do sleep 1000; done")
    } then: { _ in
    }
    let pid = try #require(process.process?.identity.pid)
    var isGone = false
    func wait() {
      if (try? bench.output()) != "ready\n" { return _ = bench.loop.after(milliseconds: 5, wait) }
      process.stop { isGone = true }
    }
    wait()
    try bench.run { isGone }
    #expect(kill(pid, 0) == -1)
  }

  @Test("What can't be started is told at once, what ends at once with its last words")
  func failures() throws {
    let bench = try Bench()
    let process = bench.process()
    var problem = ""
    process.keep(context: "a") {
      SpawnRequest("/nonexistent", [])
    } then: { result in
      do {
        try result.get()
      } catch {
        problem = "\(error)"
      }
    }
    #expect(problem == "cannot start /nonexistent: No such file or directory")
    process.onEnd = { problem = process.problem }
    process.keep(context: "a") {
      bench.shell("echo first; echo 'no rights' >&2; exit 3")
    } then: { _ in
    }
    try bench.run { problem.hasPrefix("it ended") }
    #expect(problem == "it ended with status 3: no rights")
    process.leave()
  }

  @Test("A short program gets its input and leaves its output, or its error's words")
  func tools() throws {
    let bench = try Bench()
    var results: [Result<[UInt8], ToolError>] = []
    let long = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
    func start(_ script: String, _ input: [UInt8] = [], milliseconds: Int = 10_000) {
      ToolRun.start(
        bench.shell(script), input: input, milliseconds: milliseconds, loop: bench.loop,
        host: Self.host
      ) { results.append($0) }
    }
    start("cat", long)
    try bench.run { results.count == 1 }
    #expect(try results[0].get() == long)
    let again = EventLoop(uptime: Self.host.uptime)
    for (script, time) in [("echo one; echo two >&2; exit 1", 10_000), ("exec sleep 1000", 50)] {
      ToolRun.start(bench.shell(script), milliseconds: time, loop: again, host: Self.host) {
        results.append($0)
        if results.count == 3 { again.stop() }
      }
    }
    try again.run()
    let problems = results.dropFirst().map { result -> String in
      if case .failure(let error) = result { return error.description }
      return ""
    }
    #expect(problems[0].hasSuffix("ended with status 1: two"))
    #expect(problems[1].hasSuffix("took over 50 ms"))
  }
}
