internal import Glibc
internal import JSON
internal import QEMU
internal import Supervision
public import SystemIO

/// The `ingot-monitor` program, but for the signals' set-up, which is its executable's affair.
///
/// `ingot-monitor DIRECTORY [--adopt] [--ready-descriptor N] [--lock-descriptor N]`. It starts the
/// guest described in `DIRECTORY/monitor.json`, or takes up the one that runs there already. With
/// `--adopt` it never starts one but by its run strategy. One line of JSON on the first descriptor
/// tells when the guest runs (`{"ok": true}`) or why not (`{"error": "..."}`); the second is the
/// machine's lock, which whoever launched it took for it.
///
/// SIGTERM and SIGINT end the monitor and leave the guest running; a monitor started later takes it
/// up again. A monitor whose guest is down for good ends by itself.
public enum MonitorProcess {
  /// Runs to the end of the monitor's work.
  ///
  /// - Parameters:
  ///   - arguments: the command's arguments without the program's name.
  ///   - signals: where SIGTERM and SIGINT are received.
  /// - Returns: the exit status: 0 done or left in order, 1 failed, 64 wrong usage.
  public static func run(_ arguments: [String], signals: SignalReceiver) -> Int32 {
    guard let options = Options(arguments) else {
      say("usage: ingot-monitor DIRECTORY [--adopt] [--ready-descriptor N] [--lock-descriptor N]")
      return 64
    }
    do {
      try run(options, signals)
      return 0
    } catch {
      options.service.answer(problem: "\(error)")
      say("ingot-monitor: \(error)")
      return 1
    }
  }

  private static func run(_ options: Options, _ signals: SignalReceiver) throws {
    let directory = options.directory
    let host = HostContext.live()
    let lock = try options.service.takeLock(directory.lock, of: "a monitor", host: host)
    let log = try ServiceLog(directory.monitorLog, host)
    do {
      try supervise(options, signals, host, log)
    } catch {
      log.write("\(error)")
      throw error
    }
    withExtendedLifetime(lock) {}
  }

  private static func supervise(
    _ options: Options, _ signals: SignalReceiver, _ host: HostContext, _ log: ServiceLog
  ) throws {
    let loop = EventLoop(uptime: host.uptime)
    let supervisor = try Supervisor(options.directory, host: host, loop: loop, log: log)
    let server = try RPCServer(
      options.directory.monitorSocket, loop: loop, log: log, host: host
    ) { [unowned supervisor] request in try supervisor.handle(request) }
    supervisor.onJournal = { [unowned server] entry in server.publish(entry.json) }
    supervisor.onFinished = { [unowned loop] in loop.stop() }
    var problem: MonitorError?
    supervisor.onFirstStart = { result in
      switch result {
      case .success: options.service.answer()
      case .failure(let error): problem = error
      }
    }
    loop.watch(signals.descriptor) { [unowned supervisor] _, _ in
      while let signal = signals.next() {
        if signal == SIGTERM || signal == SIGINT { supervisor.leave() }
      }
    }
    try supervisor.begin(adoptOnly: options.adopt)
    try loop.run()
    try server.close()
    if let problem { throw problem }
    if supervisor.state == .starting {
      throw MonitorError("the monitor was told to leave before its guest ran")
    }
    // Where nothing was started: the guest was found dead and stays so.
    options.service.answer()
  }

  private static func say(_ line: String) {
    // Nobody is left to tell that stderr is closed.
    try? Descriptor.standardError.write(Array((line + "\n").utf8))
  }
}

private struct Options {
  let directory: MachineDirectory
  let adopt: Bool
  let service = LaunchedService()

  init?(_ arguments: [String]) {
    var directory: String?
    var adopt = false
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      if argument == "--adopt" {
        adopt = true
      } else if argument.hasPrefix("-") {
        guard service.take(option: argument, value: rest.popFirst()) else { return nil }
      } else {
        guard directory == nil else { return nil }
        directory = argument
      }
    }
    guard let directory else { return nil }
    self.directory = MachineDirectory(directory)
    self.adopt = adopt
  }
}
