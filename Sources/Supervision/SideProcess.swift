internal import Glibc
internal import JSON
public import SystemIO

/// A process that a service keeps running beside itself, and that outlives the service.
///
/// It is recorded in a file before it becomes its program, so that it is never an orphan: a later
/// service takes it up from there. Where it ends by itself it is started again.
public final class SideProcess {
  /// Its name in messages: `the gate`.
  public let name: String
  private let recordPath: String
  private let outputPath: String
  private let loop: EventLoop
  private let log: ServiceLog
  private let host: HostContext
  private let delay: RestartDelay
  /// The process, while it runs.
  public private(set) var process: ProcessHandle?
  /// What the process that runs, or ran last, depends on.
  private var context = ""
  /// Whether it is to run.
  public var isKept: Bool { launch != nil }
  /// How often it was started again after it ended by itself.
  public private(set) var restarts = 0
  /// How it ended; empty while it runs.
  public private(set) var problem = ""
  /// Called when it was started.
  public var onStart: () -> Void = {}
  /// Called when it ended by itself; it is started again later.
  public var onEnd: () -> Void = {}
  private var launch: (() throws -> SpawnRequest)?
  private var runningSince: UInt64 = 0
  private var endsInARow = 0
  private var timer: EventLoop.Timer?
  private var killTimer: EventLoop.Timer?
  private var afterEnd: [() -> Void] = []

  /// Describes a process that does not run yet as far as is known; see `adopt`.
  ///
  /// - Parameters:
  ///   - record: the file that names it while it runs.
  ///   - output: the file that gets what it writes.
  public init(
    _ name: String, record: String, output: String, loop: EventLoop, log: ServiceLog,
    host: HostContext,
    delay: RestartDelay = RestartDelay(initial: 100, maximum: 10_000, resetAfter: 60_000)
  ) {
    self.name = name
    recordPath = record
    outputPath = output
    self.loop = loop
    self.log = log
    self.host = host
    self.delay = delay
  }

  /// Takes up the process that an earlier service left.
  ///
  /// - Throws: `SystemError` or `JSONShapeError` where its record can't be read; it may be alive.
  public func adopt() throws {
    guard fileExists(recordPath) else { return }
    let bytes = try readFile(recordPath, limit: 1 << 16)
    let record = try JSONReader(JSONValue(parsing: bytes))
    context = try record.member("context").string()
    guard let handle = try ProcessIdentity(record).open(currentBootID: host.bootID) else { return }
    log.write("took up \(name), process \(handle.identity.pid)")
    runs(handle)
  }

  /// Sees to it that a program runs, from now on.
  ///
  /// - Parameters:
  ///   - context: what the program depends on; what runs in the same one is left alone, in another
  ///     it is ended and started anew.
  ///   - launch: asked for what to start, each time; what that writes goes to the process's log.
  ///   - done: called when it runs; or with what kept it from being started, which is not tried
  ///     again then.
  public func keep(
    context: String, _ launch: @escaping () throws -> SpawnRequest,
    then done: @escaping (Result<Void, any Error>) -> Void
  ) {
    self.launch = launch
    if let process, killTimer == nil {
      if context == self.context { return done(.success(())) }
      log.write("\(name), process \(process.identity.pid), is ended: its setting has changed")
    }
    end { [unowned self] in done(Result { try startWhereDown(context) }) }
  }

  private func startWhereDown(_ context: String) throws {
    guard process == nil, let launch else { return }
    self.context = context
    try start(launch())
  }

  /// Sends a signal, where it runs.
  public func signal(_ number: Int32) throws(SystemError) { try process?.signal(number) }

  /// Ends the process and keeps it no longer; `done` is called when it is gone.
  public func stop(_ done: @escaping () -> Void) {
    launch = nil
    loop.cancel(timer)
    timer = nil
    end { [unowned self] in
      forget()
      done()
    }
  }

  private func forget() {
    do {
      try removeFile(recordPath)
    } catch {
      log.write("\(error)")
    }
  }

  /// Lets go of the process, which goes on running; another service can take it up.
  public func leave() {
    launch = nil
    loop.cancel(timer)
    loop.cancel(killTimer)
    if let process { loop.unwatch(process.descriptor) }
  }

  private func end(_ done: @escaping () -> Void) {
    guard let process else { return done() }
    afterEnd.append(done)
    guard killTimer == nil else { return }
    send(SIGTERM, to: process)
    killTimer = loop.after(milliseconds: 1000) { [unowned self] in send(SIGKILL, to: process) }
  }

  private func start(_ program: SpawnRequest) throws {
    loop.cancel(timer)
    timer = nil
    guard findExecutable(program.executable, searchPath: "") != nil else {
      throw SystemError("start", program.executable, errno: ENOENT)
    }
    let output = try Descriptor.open(outputPath, [.write, .create, .append])
    let gate = try makePipe(name: "the gate")
    var request = program
    request.descriptors += [(target: 1, source: output), (target: 2, source: output)]
    request.gate = gate.read
    let handle = try ProcessHandle(childID: try request.spawn(), bootID: host.bootID)
    do {
      var record = handle.identity.json
      record["context"] = .string(context)
      try admit(.object(record), at: recordPath, through: gate.write)
    } catch {
      try handle.signal(SIGKILL)
      _ = try handle.wait()
      throw error
    }
    runs(handle)
    onStart()
  }

  private func runs(_ handle: ProcessHandle) {
    process = handle
    problem = ""
    runningSince = host.uptime()
    loop.watch(handle.descriptor) { [unowned self] _, _ in ended(handle) }
  }

  private func ended(_ handle: ProcessHandle) {
    loop.unwatch(handle.descriptor)
    loop.cancel(killTimer)
    killTimer = nil
    process = nil
    // One that was taken up is another's child, whose status nobody here can have.
    let end = try? handle.wait()
    problem = "\(name) \(end?.summary ?? "ended")"
    if !afterEnd.isEmpty {
      let waiting = afterEnd
      afterEnd = []
      return waiting.forEach { $0() }
    }
    problem += lastWords()
    log.write("\(problem) (see \(outputPath))")
    scheduleRestart()
    onEnd()
  }

  /// The last line that it wrote, where it wrote any.
  private func lastWords() -> String {
    // Unreadable means only that there is nothing to add to its end.
    guard let file = try? Descriptor.open(outputPath, .read),
      let bytes = try? file.contents(limit: 1 << 24).suffix(1000)
    else { return "" }
    let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
    return lines.last.map { ": \($0)" } ?? ""
  }

  private func scheduleRestart() {
    guard launch != nil else { return }
    let ran = Int((host.uptime() - runningSince) / 1_000_000)
    endsInARow = ran >= delay.resetAfter ? 1 : endsInARow + 1
    timer = loop.after(milliseconds: delay.wait(afterEnds: endsInARow)) { [unowned self] in
      restart()
    }
  }

  private func restart() {
    timer = nil
    guard let launch else { return }
    restarts += 1
    do {
      try start(launch())
    } catch {
      problem = "\(name) can't be started: \(error)"
      log.write(problem)
      runningSince = host.uptime()
      scheduleRestart()
    }
  }

  private func send(_ signal: Int32, to process: ProcessHandle) {
    do {
      try process.signal(signal)
    } catch {
      log.write("\(error)")
    }
  }
}
