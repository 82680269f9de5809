internal import Glibc
internal import Networking
internal import Supervision
public import SystemIO

/// The `ingot-network` program, but for the signals' set-up, which is its executable's affair.
///
/// `ingot-network serve DIRECTORY [--ready-descriptor N] [--lock-descriptor N]` supervises the
/// network that `DIRECTORY/network.json` describes. One line of JSON on the first descriptor tells
/// when it is up (`{"ok": true}`) or why not (`{"error": "..."}`); the second is the network's
/// lock, which whoever launched it took for it. SIGTERM and SIGINT end the supervisor and leave the
/// network as it is; one started later takes it up again.
///
/// `ingot-network gate DIRECTORY --listen-descriptor N` is the network's process in its namespace.
public enum NetworkProcess {
  private static let usage =
    "usage: ingot-network serve DIRECTORY [--ready-descriptor N] [--lock-descriptor N]"

  /// Runs to the end of the process's work.
  ///
  /// - Parameters:
  ///   - arguments: the command's arguments without the program's name.
  ///   - signals: where SIGTERM and SIGINT are received.
  /// - Returns: the exit status: 0 done or left in order, 1 failed, 64 wrong usage.
  public static func run(_ arguments: [String], signals: SignalReceiver) -> Int32 {
    guard let options = Options(arguments) else {
      say(usage)
      return 64
    }
    let host = HostContext.live()
    do {
      switch options.role {
      case .serve:
        try serve(options, signals, host, ServiceLog(options.directory.log, host))
      case .gate(let listener):
        let log = try ServiceLog(options.directory.gateLog, host)
        try Gate.run(listener: listener, signals: signals, log: log, host: host)
      }
      return 0
    } catch {
      options.service.answer(problem: "\(error)")
      say("ingot-network: \(error)")
      return 1
    }
  }

  private static func serve(
    _ options: Options, _ signals: SignalReceiver, _ host: HostContext, _ log: ServiceLog
  ) throws {
    let directory = options.directory
    let lock = try options.service.takeLock(directory.lock, of: "a supervisor", host: host)
    let loop = EventLoop(uptime: host.uptime)
    let supervisor = NetworkSupervisor(directory, host: host, loop: loop, log: log)
    let server = try RPCServer(directory.socket, loop: loop, log: log, host: host) {
      [unowned supervisor] request in try supervisor.handle(request)
    }
    supervisor.onFinished = { [unowned loop] in loop.stop() }
    loop.watch(signals.descriptor) { [unowned supervisor] _, _ in
      while let signal = signals.next() {
        if signal == SIGTERM || signal == SIGINT { supervisor.leave() }
      }
    }
    var problem: NetworkError?
    try supervisor.begin { [unowned supervisor] error in
      // Guests that run on what was taken up are served as far as it goes.
      guard let error, !supervisor.hasAdopted else { return options.service.answer() }
      problem = error
      supervisor.stop { _ in }
    }
    try loop.run()
    try server.close()
    if let problem { throw problem }
    withExtendedLifetime(lock) {}
  }

  private static func say(_ line: String) {
    // Nobody is left to tell that stderr is closed.
    try? Descriptor.standardError.write(Array((line + "\n").utf8))
  }
}

private struct Options {
  enum Role {
    case serve
    case gate(listener: Descriptor)
  }

  let role: Role
  let directory: NetworkDirectory
  let service = LaunchedService()

  init?(_ arguments: [String]) {
    guard arguments.count >= 2, !arguments[1].hasPrefix("-") else { return nil }
    directory = NetworkDirectory(arguments[1])
    var rest = arguments.dropFirst(2)
    switch arguments[0] {
    case "serve":
      role = .serve
      while let option = rest.popFirst() {
        guard service.take(option: option, value: rest.popFirst()) else { return nil }
      }
    case "gate":
      guard rest.popFirst() == "--listen-descriptor", rest.count == 1,
        let number = rest.first.flatMap({ Int32($0) }), number > 2
      else { return nil }
      role = .gate(listener: Descriptor(owning: number, name: "the gate's socket"))
    default: return nil
    }
  }
}
