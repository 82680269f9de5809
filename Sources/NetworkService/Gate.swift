internal import Glibc
internal import JSON
internal import Networking
internal import Supervision
internal import SystemIO

/// The process inside a network's namespace that hands out what only can be made there: taps and
/// sockets, which work wherever they are carried.
///
/// `ingot-network gate --listen-descriptor N`: the socket takes the requests `hello`, `settings`,
/// `tap` and `dial` (`GateClient` has their sense). It never waits for anything else.
enum Gate {
  /// Runs until SIGTERM.
  static func run(
    listener: Descriptor, signals: SignalReceiver, log: ServiceLog, host: HostContext
  ) throws(SystemError) {
    let loop = EventLoop(uptime: host.uptime)
    let server = RPCServer(listener: listener, loop: loop, log: log, host: host) { request in
      try handle(request)
    }
    loop.watch(signals.descriptor) { _, _ in
      while let signal = signals.next() {
        if signal == SIGTERM || signal == SIGINT { loop.stop() }
      }
    }
    try loop.run()
    try server.close()
  }

  private static func handle(_ request: RPCRequest) throws {
    let params = request.params
    switch request.method {
    case "hello":
      request.answer(.success(["namespace": .string("\(try Namespace.own())")]))
    case "settings":
      var missing: [JSONValue] = []
      for setting in try params.member("settings").list() {
        let file = try setting.member("file").string()
        let value = try setting.member("value").string()
        if try !KernelSetting.set(file, to: value) { missing.append(.string(file)) }
      }
      request.answer(.success(["missing": .array(missing)]))
    case "tap":
      request.answer([:], passing: try TapDevice.open(params.member("name").string()))
    case "dial":
      let transport = try params.member("transport").choice(NetworkConfiguration.Transport.self)
      let text = try params.member("address").string()
      guard let address = InternetAddress(text) else {
        throw RPCError("'\(text)' is no address")
      }
      let socket = try InternetSocket.connect(
        transport == .tcp ? .stream : .datagram, to: address,
        port: params.member("port").integer(1 ... .max))
      request.answer([:], passing: socket)
    default: throw RPCError("the gate knows no method '\(request.method)'")
    }
  }
}
