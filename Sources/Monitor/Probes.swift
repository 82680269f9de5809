internal import JSON
internal import QEMU
internal import Supervision
internal import SystemIO

/// Asks a guest again and again whether it is ready, and reports each change.
final class ProbeRunner {
  private let probe: Probe
  private unowned let supervisor: Supervisor
  private var timer: EventLoop.Timer?
  private var successes = 0
  private var failures = 0
  private var consoleMatch: TextMatch?
  private var tcp: TCPProbe?
  private var isStopped = false

  /// - Parameter wasReady: what a monitor before this one found out about this boot; a text that
  ///   went by on the console does not come again.
  init(_ probe: Probe, _ supervisor: Supervisor, wasReady: Bool) {
    self.probe = probe
    self.supervisor = supervisor
    if case .console(let text) = probe.check {
      consoleMatch = TextMatch(Array(text.utf8), isFound: wasReady)
      supervisor.console.log.rewind()
      supervisor.console.log.willRotate = { [weak self] in self?.readConsole() }
      readConsole()
    }
    schedule(probe.initialDelay)
  }

  func stop() {
    isStopped = true
    supervisor.loop.cancel(timer)
    tcp?.cancel()
    supervisor.console.log.willRotate = {}
  }

  /// Looks through what the log got since; the log alone has what came while no monitor ran, so
  /// that a text which begins before an adoption and ends after it is found.
  private func readConsole() {
    guard consoleMatch?.isFound == false else { return }
    supervisor.console.readLog { consoleMatch?.take($0) }
  }

  private func schedule(_ milliseconds: Int) {
    timer = supervisor.loop.after(milliseconds: milliseconds) { [weak self] in self?.ask() }
  }

  private func ask() {
    let answer = { [weak self] (problem: String?) -> Void in self?.answered(problem) }
    switch probe.check {
    case .guestAgent:
      withAgent(answer) { [probe] agent in
        agent.execute("guest-ping", deadline: probe.timeout) { result in
          answer(Self.problem(result))
        }
      }
    case .exec(let command):
      withAgent(answer) { [probe, supervisor] agent in
        AgentExec.run(
          command, on: agent, loop: supervisor.loop, now: supervisor.host.uptime,
          milliseconds: probe.timeout
        ) { result in answer(Self.problem(ofExec: result)) }
      }
    case .console(let text):
      readConsole()
      answer(
        consoleMatch?.isFound == true ? nil : "the console has not shown '\(text)' yet")
    case .tcp(let address, let port, let way):
      tcp = TCPProbe(
        supervisor.loop, address: address, port: port, timeout: probe.timeout, answer)
      switch way {
      case .host: tcp?.begin(userNetwork: nil)
      case .userNetwork: tcp?.begin(userNetwork: supervisor.qmp)
      case .network(let path): tcp?.begin(supervisor.links.first { $0.path == path }, path)
      }
    }
  }

  private func withAgent(_ answer: (String?) -> Void, _ body: (AgentChannel) -> Void) {
    guard let agent = supervisor.agent else { return answer("the guest is down") }
    body(agent)
  }

  private func answered(_ problem: String?) {
    guard !isStopped else { return }
    tcp = nil
    if let problem {
      failures += 1
      successes = 0
      if failures >= probe.failureThreshold || !supervisor.isReady {
        supervisor.setReady(false, problem)
      }
    } else {
      successes += 1
      failures = 0
      if successes >= probe.successThreshold { supervisor.setReady(true, "") }
    }
    schedule(probe.period)
  }

  private static func problem(_ result: Result<JSONValue, QMPError>) -> String? {
    switch result {
    case .success: nil
    case .failure(.noAgent): "the guest agent is not connected"
    case .failure(.timeout(_, let time)): "the guest agent did not answer within \(time) ms"
    case .failure(let error): "\(error)"
    }
  }

  private static func problem(ofExec result: Result<JSONValue, QMPError>) -> String? {
    guard case .success(let status) = result else { return problem(result) }
    if let code = status["exitcode"]?.integer {
      return code == 0 ? nil : "the command ended with status \(code)"
    }
    return "the command was killed by signal \(status["signal"]?.integer ?? 0)"
  }
}

/// Finds a text in bytes that come in pieces.
struct TextMatch {
  private let text: [UInt8]
  private var rest: [UInt8] = []
  /// Whether it has come by.
  private(set) var isFound = false

  init(_ text: [UInt8], isFound: Bool = false) {
    self.text = text
    self.isFound = isFound
  }

  mutating func take(_ bytes: [UInt8]) {
    guard !isFound, !text.isEmpty else { return }
    rest += bytes
    if rest.count >= text.count {
      for start in 0...(rest.count - text.count)
      where rest[start] == text[0] && rest[start..<(start + text.count)].elementsEqual(text) {
        isFound = true
        rest = []
        return
      }
    }
    rest = Array(rest.suffix(text.count - 1))
  }
}

extension Supervisor {
  /// Begins to find out about readiness, from not ready.
  func startProbes(wasReady: Bool = false) {
    probes?.stop()
    probes = nil
    guard let probe = configuration.readiness else { return setReady(true, "") }
    setReady(false, "not asked yet")
    probes = ProbeRunner(probe, self, wasReady: wasReady)
  }

  func setReady(_ ready: Bool, _ problem: String) {
    readyProblem = problem
    guard ready != isReady else { return }
    isReady = ready
    // Without a probe every guest is ready from its start.
    if ready, configuration.readiness != nil { cameUp() }
    note(ready ? "ready" : "unready", ready ? [:] : ["reason": .string(problem)])
  }

  /// The guest's boot is known to be over.
  func cameUp() {
    if upSince == nil { upSince = host.uptime() }
  }

  /// Asks the agent for the guest's addresses, now and then.
  func scheduleAddresses(soon: Bool = false) {
    loop.cancel(addressTimer)
    // Until there are some, more often: people wait for the first.
    let wait = soon ? 0 : addresses == [] ? 2000 : configuration.addressPeriod
    addressTimer = loop.after(milliseconds: min(wait, configuration.addressPeriod)) {
      [unowned self] in
      if agent?.isGuestListening == true {
        agent?.execute("guest-network-get-interfaces", deadline: 5000) { [unowned self] result in
          if case .success(let value) = result { learn(addresses: value) }
        }
      }
      scheduleAddresses()
    }
  }

  private func learn(addresses value: JSONValue) {
    let found = (value.array ?? []).flatMap { interface -> [JSONValue] in
      (interface["ip-addresses"]?.array ?? []).compactMap { address in
        guard let text = address["ip-address"]?.string else { return nil }
        return [
          "interface": interface["name"] ?? .null, "mac": interface["hardware-address"] ?? .null,
          "address": .string(text), "prefix": address["prefix"] ?? .null,
        ]
      }
    }
    let list = JSONValue.array(found.filter { $0["interface"] != "lo" })
    guard list != addresses else { return }
    addresses = list
    note("addresses", ["addresses": list])
  }
}
