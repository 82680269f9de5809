internal import Glibc
internal import JSON
internal import QEMU
internal import Supervision
internal import SystemIO

extension Supervisor {
  /// The descriptors QEMU finds its sockets and taps at.
  private static let descriptors = GuestDescriptors(qmp: 3, console: 4, agent: 5, firstTap: 6)

  /// Starts the guest; where that fails, says so and leaves no process behind.
  func startOrFail() {
    do {
      try prepareStart()
    } catch {
      failStart("\(error)")
    }
  }

  private func failStart(_ problem: String) {
    log.write("the start failed: \(problem)")
    endRun(
      ExitRecord(
        cause: .error, request: request, detail: problem, started: nil, time: host.now(),
        generation: configuration.generation))
    startFailed(problem)
  }

  /// Gives up a start whose taps are still being opened.
  func abandonStart(_ request: String) {
    self.request = request
    failStart("it was given up before QEMU was started, by a request: \(request)")
  }

  private func prepareStart() throws {
    configuration = try MonitorConfiguration.read(directory)
    state = .starting
    request = nil
    shutdownReason = nil
    wasKilled = false
    startProblem = nil
    note("starting", ["generation": .string(configuration.generation)], durable: false)
    let cards = configuration.machine.interfaces.filter { $0.tap != nil }
    if cards.isEmpty { return try start([]) }
    openTaps(cards) { [unowned self] result in
      // A request may have ended the start meanwhile.
      guard state == .starting, process == nil else { return }
      do {
        try start(try result.get())
      } catch {
        failStart("\(error)")
      }
    }
  }

  private func start(_ taps: [OpenedTap]) throws {
    // Before QEMU opens it, so that the file is the owner's alone.
    try console.log.beginBoot()
    let (handle, gate) = try spawnQEMU(taps.map(\.descriptor))
    do {
      let record = StartedRecord(
        process: handle.identity, time: host.now(), generation: configuration.generation,
        accelerator: configuration.machine.accelerator.rawValue,
        consoleStart: console.log.bootStart, taps: taps.map(\.card))
      started = record
      process = handle
      try connect()
      try admit(record.json, at: directory.started, through: gate)
      watchProcess(handle)
      limitStart()
    } catch {
      disconnect()
      process = nil
      try handle.signal(SIGKILL)
      _ = try handle.wait()
      throw error
    }
  }

  private func limitStart() {
    let limit = configuration.startLimit
    startTimer = loop.after(milliseconds: limit) { [unowned self] in
      giveUpStart("QEMU did not run the guest within \(limit) ms")
    }
  }

  private func giveUpStart(_ problem: String) {
    log.write(problem)
    startProblem = problem
    killProcess()
  }

  /// Keeps where the boot's console output begins for a monitor that adopts the guest later.
  func rememberBoot() {
    guard started != nil, state != .starting else { return }
    started?.consoleStart = console.log.bootStart
    saveStarted()
  }

  /// Makes durable what a monitor that adopts the guest later has to know.
  func saveStarted() {
    guard let started else { return }
    do {
      try replaceFile(directory.started, with: Array((started.json.text() + "\n").utf8))
    } catch {
      log.write("what is known of the guest is not recorded: \(error)")
    }
  }

  /// Starts a process that becomes QEMU, as the same process, once a byte comes through the gate;
  /// it ends where the gate is closed before.
  private func spawnQEMU(
    _ taps: [Descriptor]
  ) throws -> (process: ProcessHandle, gate: Descriptor) {
    guard findExecutable(configuration.qemu, searchPath: "") != nil else {
      throw SystemError("start", configuration.qemu, errno: ENOENT)
    }
    let qmp = try StreamSocket.listen(directory.qmpSocket, backlog: 1)
    let console = try StreamSocket.listen(directory.consoleSocket, backlog: 1)
    let agent = try StreamSocket.listen(directory.agentSocket, backlog: 1)
    let stderr = try Descriptor.open(directory.qemuLog, [.write, .create, .truncate, .append])
    var descriptors = [
      (target: 2, source: stderr), (target: Self.descriptors.qmp, source: qmp),
      (target: Self.descriptors.console, source: console),
      (target: Self.descriptors.agent, source: agent),
    ]
    for (target, tap) in zip(Self.descriptors.firstTap..., taps) {
      descriptors.append((target: target, source: tap))
    }
    let gate = try makePipe(name: "the gate")
    let pid = try SpawnRequest(
      configuration.qemu,
      configuration.machine.arguments(
        descriptors: Self.descriptors, consoleLog: directory.consoleLog),
      environment: ["PATH=/usr/bin:/bin", "LC_ALL=C"], directory: directory.path,
      descriptors: descriptors, gate: gate.read
    ).spawn()
    return (try ProcessHandle(childID: pid, bootID: host.bootID), gate.write)
  }

  private func connect() throws {
    let qmp = try QMPChannel(loop, path: directory.qmpSocket)
    qmp.onGreeting = { [unowned self] version in greeted(version) }
    wire(qmp)
    try console.connect(directory.consoleSocket)
    agent = try AgentChannel(loop, path: directory.agentSocket, host: host)
  }

  /// What every QMP connection does, of a guest started or adopted.
  func wire(_ qmp: QMPChannel) {
    qmp.onEvent = { [unowned self] event in happened(event) }
    qmp.onSilence = { [unowned self] silent in
      isSilent = silent
      note(silent ? "unresponsive" : "responsive")
    }
    self.qmp = qmp
  }

  func watchProcess(_ handle: ProcessHandle) {
    loop.watch(handle.descriptor) { [unowned self] _, _ in processEnded(handle) }
  }

  private func greeted(_ version: String) {
    guard let qmp else { return }
    qmp.execute("qmp_capabilities")
    for command in configuration.machine.firstCommands {
      qmp.execute(command.name, command.arguments) { [unowned self] result in
        if case .failure(let error) = result { giveUpStart("\(command.name): \(error)") }
      }
    }
    qmp.execute("cont", deadline: QMPChannel.block) { [unowned self] result in
      switch result {
      case .success: runs(qemuVersion: version)
      case .failure(.closed): break  // The process's end tells more.
      case .failure(let error): giveUpStart("the guest can't run: \(error)")
      }
    }
  }

  private func runs(qemuVersion: String) {
    guard let started else { return }
    loop.cancel(startTimer)
    state = .running
    runningSince = host.uptime()
    note(
      "running",
      [
        "pid": .integer(Int64(started.process.pid)), "qemu": .string(qemuVersion),
        "accelerator": .string(started.accelerator), "generation": .string(started.generation),
      ], durable: false)
    // The record of the process is durable; the caller need not wait for the disk again.
    tellFirstStart(.success(started))
    settleReboot(.success([:]))
    beginWatching()
  }

  func tellFirstStart(_ result: Result<StartedRecord?, MonitorError>) {
    onFirstStart(result)
    onFirstStart = { _ in }
  }

  /// A start that failed: the first one is the caller's to mend, a later one counts as a failure.
  func startFailed(_ problem: String) {
    if restarts == 0 {
      tellFirstStart(.failure(MonitorError(problem)))
      return finish()
    }
    decideRestart()
  }

  /// What is asked again and again while the guest runs.
  func beginWatching(wasReady: Bool = false) {
    scheduleHeartbeat()
    scheduleAddresses()
    startProbes(wasReady: wasReady)
  }

  /// Whether QEMU still answers, and whether its log stays within bounds.
  private func scheduleHeartbeat() {
    loop.cancel(heartbeatTimer)
    heartbeatTimer = loop.after(milliseconds: 10_000) { [unowned self] in
      boundQEMULog()
      qmp?.execute("query-status") { [unowned self] result in
        if case .success(let status) = result { adopt(status: status) }
      }
      scheduleHeartbeat()
    }
  }

  /// Takes over what `query-status` says about running and paused.
  func adopt(status: JSONValue) {
    guard state == .running || state == .paused else { return }
    state = status["running"]?.bool == true ? .running : .paused
    let told = status["status"]?.string ?? ""
    guard told != detail else { return }
    detail = told
    note("status", ["status": .string(told)], durable: false)
  }

  /// QEMU's stderr can be made to grow by a guest; its end is what matters.
  private func boundQEMULog() {
    do {
      let file = try Descriptor.open(directory.qemuLog, [.readWrite, .append])
      let size = try file.size()
      if size > 1 << 18 {
        let tail = stderrTail()
        try file.truncate(to: 0)
        try file.write(Array(tail.utf8))
      }
    } catch {
      log.write("\(error)")
    }
  }

  /// The last lines QEMU wrote, at most 4 KiB.
  func stderrTail() -> String {
    // Unreadable means only that there is nothing to add to the cause.
    guard let bytes = try? readFile(directory.qemuLog, limit: 1 << 26) else { return "" }
    let tail = String(decoding: bytes.suffix(4096), as: UTF8.self)
    return String(tail.reversed().drop { $0 == "\n" || $0 == " " }.reversed())
  }
}
