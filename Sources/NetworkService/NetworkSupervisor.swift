internal import Glibc
internal import Networking
internal import Supervision
internal import SystemIO

/// One network's supervisor: makes it what its configuration says, and keeps its processes running.
///
/// Everything here runs on the one thread of the event loop, outside the network's namespace.
final class NetworkSupervisor {
  let directory: NetworkDirectory
  let host: HostContext
  let loop: EventLoop
  let log: ServiceLog
  /// The process inside the namespace that makes taps and sockets.
  let gate: SideProcess
  /// dnsmasq.
  let names: SideProcess
  /// slirp4netns.
  let uplink: SideProcess
  let gateClient: GateClient
  /// The host's ports that lead inside.
  private(set) lazy var forwards = ForwardProxy(loop) {
    [unowned self] transport, address, port, answer in dial(transport, address, port, answer)
  }
  /// What is, or is being put, in effect.
  var network: NetworkConfiguration?
  /// The namespace, once there is one; never in mode bridge.
  var namespace: Namespace?
  var state = NetworkStatus.State.building
  var problem = ""
  var isBuilding = false
  var isStopping = false
  /// Whether processes of an earlier supervisor were found.
  private(set) var hasAdopted = false
  /// Who waits for the build that goes on, for the one after it, and for the network's end.
  var waiting: [Done] = []
  var waitingForNext: [Done] = []
  var waitingForEnd: [Done] = []
  var retryTimer: EventLoop.Timer?
  var failuresInARow = 0
  /// How the kernel tells replies, once that is known.
  var tracking: PacketRules.Tracking?
  /// The rules in effect, and the namespace they are in.
  var loadedRules = (namespace: UInt64(0), text: "")
  /// Taps of ports that the configuration had before.
  var droppedTaps: [String] = []
  /// The limits in effect of what guests receive, by tap; of others it is not known.
  var limits: [String: Int?] = [:]
  /// The host's rules of root's uplink in effect.
  var uplinkRules = ""
  /// What of the host keeps the uplink from working; empty where nothing does.
  var uplinkProblem = ""
  /// Told when there is nothing left to supervise.
  var onFinished: () -> Void = {}

  /// What is called with the outcome of a step.
  typealias Done = (NetworkError?) -> Void

  init(_ directory: NetworkDirectory, host: HostContext, loop: EventLoop, log: ServiceLog) {
    self.directory = directory
    self.host = host
    self.loop = loop
    self.log = log
    gateClient = GateClient(loop, directory)
    func process(_ name: String, _ record: String, _ output: String) -> SideProcess {
      SideProcess(name, record: record, output: output, loop: loop, log: log, host: host)
    }
    gate = process("the gate", directory.gateProcess, directory.gateLog)
    names = process("dnsmasq", directory.namesProcess, directory.namesLog)
    uplink = process("slirp4netns", directory.uplinkProcess, directory.uplinkLog)
    gate.onStart = { [unowned self] in gateClient.connect() }
  }

  /// The processes, as `NetworkStatus` names them.
  var processes: [(name: String, process: SideProcess)] {
    [("gate", gate), ("names", names), ("uplink", uplink)]
  }

  /// Takes up what an earlier supervisor left, and builds the rest.
  func begin(_ done: @escaping Done) throws {
    for (_, process) in processes { try process.adopt() }
    hasAdopted = processes.contains { $0.process.process != nil }
    // Any process inside leads to the namespace; the uplink's is outside.
    for process in [gate, names] {
      guard namespace == nil, let pid = process.process?.identity.pid else { continue }
      do {
        namespace = try Namespace(of: pid)
      } catch {
        // In mode bridge it has none of its own; else the gate tells, once it is there.
        log.write("\(process.name), process \(pid), does not lead to the namespace: \(error)")
      }
    }
    boundLogs()
    requestBuild(done)
  }

  /// Lets go of the network, which goes on as it is; another supervisor can take it up.
  func leave() {
    for (_, process) in processes { process.leave() }
    loop.stop()
  }

  /// Builds the network as its configuration is then; `done` is called when that is in effect.
  func requestBuild(_ done: @escaping Done) {
    guard !isStopping else { return done(NetworkError("the network is being stopped")) }
    waitingForNext.append(done)
    if !isBuilding { startBuild() }
  }

  /// Calls when the network is built, with the reason where it can't be.
  func whenBuilt(_ done: @escaping Done) {
    if isBuilding {
      waiting.append(done)
    } else if state == .up, !isStopping {
      done(nil)
    } else {
      requestBuild(done)
    }
  }

  private func startBuild() {
    loop.cancel(retryTimer)
    retryTimer = nil
    isBuilding = true
    waiting = waitingForNext
    waitingForNext = []
    if state != .up { state = .building }
    build { [unowned self] error in finishBuild(error) }
  }

  private func finishBuild(_ error: NetworkError?) {
    isBuilding = false
    state = error == nil ? .up : .failed
    problem = error?.description ?? ""
    if let error {
      log.write("\(error)")
      failuresInARow += 1
      let wait = RestartDelay(initial: 1000, maximum: 30_000).wait(afterEnds: failuresInARow)
      retryTimer = loop.after(milliseconds: wait) { [unowned self] in requestBuild { _ in } }
    } else {
      failuresInARow = 0
    }
    let told = waiting
    waiting = []
    for done in told { done(error) }
    if !waitingForNext.isEmpty, !isBuilding { startBuild() }
  }

  /// What the processes write is for people who look for a fault; the end of it matters.
  private func boundLogs() {
    for path in [directory.gateLog, directory.namesLog, directory.uplinkLog] {
      do {
        guard fileExists(path) else { continue }
        let file = try Descriptor.open(path, [.readWrite, .append])
        if try file.size() > 1 << 20 { try file.truncate(to: 0) }
      } catch {
        log.write("\(error)")
      }
    }
    loop.after(milliseconds: 60_000) { [unowned self] in boundLogs() }
  }

  /// Runs a program of the network; in its namespace, where it has one.
  ///
  /// - Parameter onHost: run it in the host's namespace.
  func run(
    _ tool: NetworkTool, _ arguments: [String], input: String = "", onHost: Bool = false,
    _ completion: @escaping (Result<[UInt8], NetworkError>) -> Void
  ) {
    do {
      var request = try tool.request(arguments)
      if let namespace, !onHost { request = try namespace.entering(request) }
      ToolRun.start(request, input: Array(input.utf8), loop: loop, host: host) { result in
        completion(result.mapError { NetworkError($0.description) })
      }
    } catch {
      loop.after(milliseconds: 0) { completion(.failure(error)) }
    }
  }

  /// Carries out lines of ip(8), where there are any.
  func carryOut(_ lines: [String], _ done: @escaping Done) {
    if lines.isEmpty { return done(nil) }
    run(.ip, ["-batch", "-"], input: lines.map { $0 + "\n" }.joined()) { result in
      switch result {
      case .success: done(nil)
      case .failure(let error):
        done(NetworkError("\(error) (of: \(lines.joined(separator: "; ")))"))
      }
    }
  }

  /// Reads the interfaces.
  func links(
    onHost: Bool = false, _ completion: @escaping (Result<LinkState, NetworkError>) -> Void
  ) {
    run(.ip, LinkState.arguments, onHost: onHost) { result in
      completion(
        result.flatMap { bytes in
          Result { () throws(NetworkError) in try LinkState(parsing: bytes) }
        })
    }
  }
}
