internal import Glibc
internal import JSON
internal import QEMU
internal import Supervision
internal import SystemIO

extension Supervisor {
  /// Events that say nothing about the guest's life, and that a guest can cause at will.
  private static let noise: Set<String> = [
    "BALLOON_CHANGE", "RTC_CHANGE", "NIC_RX_FILTER_CHANGED", "JOB_STATUS_CHANGE",
    // Its request is journaled.
    "POWERDOWN",
  ]

  /// Journals what QEMU tells, then acts on it.
  func happened(_ event: QMPEvent) {
    if !Self.noise.contains(event.name) {
      // Waiting for the disk here would delay the answer to our own `cont`.
      note(
        "qmp", ["event": .string(event.name), "data": .object(event.data)],
        durable: event.name != "RESUME" && event.name != "STOP")
    }
    switch event.name {
    case "SHUTDOWN":
      // The first terminal cause wins.
      if shutdownReason == nil { shutdownReason = event.data["reason"]?.string ?? "unknown" }
    case "STOP", "RESUME":
      guard state == .running || state == .paused else { break }
      state = event.name == "STOP" ? .paused : .running
      // An unexplained stop has no event of its own that says why.
      qmp?.execute("query-status") { [weak self] result in
        if case .success(let status) = result { self?.adopt(status: status) }
      }
    case "RESET": guestReset()
    case "DEVICE_DELETED":
      guard let device = event.data["device"]?.string else { break }
      for replug in replugs { replug.left(device) }
    case "VSERPORT_CHANGE":
      if event.data["id"]?.string == "agent-port", let open = event.data["open"]?.bool {
        agent?.isGuestListening = open
        guard open else { break }
        cameUp()
        // A guest that got its agent has addresses soon.
        scheduleAddresses(soon: true)
      }
    default: break
    }
  }

  private func guestReset() {
    guard !isDraining else { return }
    agent?.isGuestListening = false
    upSince = nil
    addresses = []
    // A reset while no monitor ran goes unseen: what was shown before it counts as this boot's.
    console.beginBoot()
    startProbes()
    settleReboot(.success([:]))
  }

  /// QEMU has ended, whatever its sockets say.
  func processEnded(_ handle: ProcessHandle) {
    loop.unwatch(handle.descriptor)
    // What it said at the end tells why.
    isDraining = true
    qmp?.drain()
    disconnect()
    isDraining = false
    process = nil
    let record = exitRecord(handle)
    let never = state == .starting
    endRun(record)
    if never { return startFailed(startProblem(record)) }
    decideRestart()
  }

  private func startProblem(_ record: ExitRecord) -> String {
    "QEMU ended before the guest ran (\(record.summary))"
      + (record.detail.isEmpty ? "" : ": \(record.detail)")
  }

  func disconnect() {
    qmp?.close()
    qmp = nil
    agent?.close()
    agent = nil
    console.disconnect()
    for timer in [startTimer, heartbeatTimer, addressTimer] { loop.cancel(timer) }
    probes?.stop()
    probes = nil
    isSilent = false
  }

  private func exitRecord(_ handle: ProcessHandle) -> ExitRecord {
    var record = ExitRecord(
      cause: .unknown, request: request, started: started?.time, time: host.now(),
      generation: started?.generation ?? configuration.generation)
    do {
      switch try handle.wait() {
      case .signalled(let signal):
        record.cause = .killed
        record.signal = signal
      case .exited(let status):
        record.status = status
        record.cause = status == 0 ? namedCause : .error
      case nil: break
      }
    } catch {
      // Adopted: the status went to another parent, but the event may have been seen.
      record.cause = namedCause
      if record.cause == .unknown, wasKilled {
        record.cause = .killed
        record.signal = SIGKILL
      }
    }
    switch record.cause {
    case .guestShutdown, .guestReset, .hostQuit: break
    default: record.detail = startProblem ?? stderrTail()
    }
    return record
  }

  private var namedCause: ExitRecord.Cause {
    switch shutdownReason {
    case "guest-shutdown": .guestShutdown
    case "guest-reset": .guestReset
    case "guest-panic": .guestPanic
    case "host-signal": .hostSignal
    case "host-qmp-quit": .hostQuit
    case "host-error": .error
    default: .unknown
    }
  }

  /// Records how a run ended, durably, and tells whoever waited for the end.
  func endRun(_ record: ExitRecord) {
    lastExit = record
    note("exited", record.json)
    do {
      try replaceFile(directory.exit, with: Array((record.json.text() + "\n").utf8))
      try removeFile(directory.started)
      for socket in [directory.qmpSocket, directory.consoleSocket, directory.agentSocket] {
        try removeFile(socket)
      }
    } catch {
      log.write("the end is not recorded: \(error)")
    }
    setReady(false, "the guest is down")
    addresses = []
    detail = ""
    started = nil
    state = .stopped
    closeLinks()
    stopping?.cancel(loop)
    stopping = nil
    let waiting = afterExit
    afterExit = []
    for tell in waiting { tell(.success(record.json)) }
  }

  /// Starts the guest again where its strategy says so, after a wait that grows.
  func decideRestart() {
    guard let record = lastExit else { return finish() }
    // It may have been changed while the guest ran.
    let isReboot = record.request == "reboot"
    guard configuration.restarts(after: record) else {
      settleReboot(.failure(RPCError("the guest ended: \(record.summary)")))
      return finish()
    }
    let now = host.uptime()
    func lasted(_ begin: UInt64) -> Int { Int((now - begin) / 1_000_000) }
    let isReset = configuration.restartDelay.isReset(
      ran: runningSince.map(lasted) ?? 0, up: upSince.map(lasted))
    endsInARow = isReset ? 1 : endsInARow + 1
    runningSince = nil
    upSince = nil
    let wait =
      isReboot ? 0 : max(configuration.restartDelay.wait(afterEnds: endsInARow), changeLeft)
    state = .backoff
    note("restart", ["after": .integer(Int64(wait)), "cause": .string(record.cause.rawValue)])
    restartTimer = loop.after(milliseconds: wait) { [unowned self] in
      if isReboot { restartNow() } else { restartUnlessChanged() }
    }
  }

  /// Milliseconds for which a guest that ended is not started again, as a command that changes the
  /// machine has yet to write what the next start takes.
  private var changeLeft: Int {
    guard let changedTime else { return 0 }
    return max(0, 1000 - Int((host.uptime() - changedTime) / 1_000_000))
  }

  /// Ends the wait, unless a command has begun to change the machine in it.
  private func restartUnlessChanged() {
    let wait = changeLeft
    if wait == 0 { return restartNow() }
    restartTimer = loop.after(milliseconds: wait) { [unowned self] in restartUnlessChanged() }
  }

  /// Ends the wait.
  func restartNow() {
    loop.cancel(restartTimer)
    restartTimer = nil
    restarts += 1
    startOrFail()
  }

  func settleReboot(_ result: Result<JSONValue, RPCError>) {
    let waiting = afterReboot
    afterReboot = []
    for tell in waiting { tell(result) }
  }
}
