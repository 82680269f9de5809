internal import Glibc
internal import JSON
internal import QEMU
internal import Supervision
internal import SystemIO

/// A guest's way down: the power button, the agent at half the time, the kill at its end.
final class StopRequest {
  /// Milliseconds until the next press: a guest that is still booting misses the first.
  private var pressAgain = 1000
  var timers: [EventLoop.Timer] = []
  var press: EventLoop.Timer?

  func cancel(_ loop: EventLoop) {
    for timer in timers { loop.cancel(timer) }
    loop.cancel(press)
  }

  /// Begins; the guest's end settles it.
  init(_ supervisor: Supervisor, grace: Int) {
    let loop = supervisor.loop
    powerButton(supervisor)
    timers = [
      loop.after(milliseconds: grace / 2) { [unowned supervisor] in
        supervisor.note("request", ["request": "agent-shutdown"])
        // No answer: the agent goes down with its guest.
        supervisor.agent?.execute(
          "guest-shutdown", deadline: 5000, expectsReply: false, { _ in })
      },
      loop.after(milliseconds: grace) { [unowned supervisor] in
        supervisor.log.write("the guest did not shut down within \(grace) ms: it is killed")
        supervisor.note("request", ["request": "kill", "after": .integer(Int64(grace))])
        supervisor.killProcess()
      },
    ]
  }

  private func powerButton(_ supervisor: Supervisor) {
    // A paused guest can't react.
    if supervisor.state == .paused { supervisor.qmp?.execute("cont") }
    supervisor.qmp?.execute("system_powerdown")
    press = supervisor.loop.after(milliseconds: pressAgain) {
      [weak self, unowned supervisor] in self?.powerButton(supervisor)
    }
    pressAgain = min(pressAgain * 2, 10_000)
  }
}

extension Supervisor {
  /// Kills QEMU's process; its end is seen as any other.
  func killProcess() {
    wasKilled = true
    do {
      try process?.signal(SIGKILL)
    } catch {
      log.write("\(error)")
    }
  }

  /// Brings the guest down in order; `tell` is called once it is down and recorded.
  func stop(grace: Int?, _ tell: @escaping (Result<JSONValue, RPCError>) -> Void) {
    guard process != nil else { return stopWithoutGuest("stop", tell) }
    afterExit.append(tell)
    settleReboot(.failure(RPCError("the guest was told to stop")))
    request = "stop"
    stopping?.cancel(loop)
    let grace = grace ?? configuration.grace
    note("request", ["request": "stop", "grace": .integer(Int64(grace))])
    stopping = StopRequest(self, grace: grace)
  }

  /// Ends the guest at once.
  func kill(_ tell: @escaping (Result<JSONValue, RPCError>) -> Void) {
    guard process != nil else { return stopWithoutGuest("kill", tell) }
    afterExit.append(tell)
    settleReboot(.failure(RPCError("the guest was killed")))
    request = "kill"
    note("request", ["request": "kill"])
    killProcess()
  }

  /// Gives up a restart that was due, or a start that is being prepared.
  private func stopWithoutGuest(
    _ name: String, _ tell: @escaping (Result<JSONValue, RPCError>) -> Void
  ) {
    loop.cancel(restartTimer)
    restartTimer = nil
    note("request", ["request": .string(name)])
    if state == .starting {
      afterExit.append(tell)
      settleReboot(.failure(RPCError("the guest was told to \(name)")))
      return abandonStart(name)
    }
    tell(.success(lastExit?.json ?? .null))
    if state == .backoff { finish() }
  }

  /// Restarts the guest's system: `force` resets it at once; else it is asked to.
  func reboot(
    force: Bool, grace: Int?, _ tell: @escaping (Result<JSONValue, RPCError>) -> Void
  ) {
    guard stopping == nil else { return tell(.failure(RPCError("the guest is being stopped"))) }
    if state == .starting || state == .backoff {
      // It is on its way up, and has rebooted once it runs.
      afterReboot.append(tell)
      if state == .backoff { restartNow() }
      return
    }
    guard process != nil, state == .running || state == .paused else {
      return tell(.failure(RPCError("the guest does not run: it is \(state.rawValue)")))
    }
    guard request == nil else { return tell(.failure(RPCError("the guest is being stopped"))) }
    note("request", ["request": "reboot", "force": .bool(force)])
    if state == .paused { qmp?.execute("cont") }
    if force {
      qmp?.execute("system_reset") { result in tell(result.forRPC) }
      return
    }
    afterReboot.append(tell)
    let grace = grace ?? configuration.grace
    if agent?.isGuestListening == true {
      agent?.execute(
        "guest-shutdown", ["mode": "reboot"], deadline: 5000, expectsReply: false, { _ in })
      loop.after(milliseconds: grace) { [weak self] in self?.resetAfterGrace() }
    } else {
      // Without an agent there is only the power button; the guest is then started again.
      request = "reboot"
      stopping = StopRequest(self, grace: grace)
    }
  }

  private func resetAfterGrace() {
    guard !afterReboot.isEmpty else { return }
    qmp?.execute("system_reset")
  }
}
