internal import JSON
internal import QEMU
internal import Supervision
internal import SystemIO

extension Supervisor {
  /// Carries out one request of a client.
  ///
  /// - Throws: `JSONShapeError` or `RPCError` where the request makes no sense.
  func handle(_ request: RPCRequest) throws {
    switch request.method {
    case "console":
      request.answer(.success([:]))
      let connection = request.client.takeOver()
      console.attach(connection.channel, typed: connection.rest)
    case "events":
      let after: Int64 = try request.params.optional("after")?.integer(0 ... .max) ?? 0
      let entries = try JournalEntry.read(directory, after: after)
      request.answer(.success(["events": .array(entries.map(\.json))]))
      request.client.follows = try request.params.optional("follow")?.bool() ?? false
    default: try handle(request.method, request.params) { request.answer($0) }
    }
  }

  /// Carries out one request; `tell` gets its outcome, now or later, exactly once.
  ///
  /// - Throws: `JSONShapeError` or `RPCError` where the request makes no sense.
  private func handle(
    _ method: String, _ params: JSONReader,
    _ tell: @escaping (Result<JSONValue, RPCError>) -> Void
  ) throws {
    // A request that waited beside the news of QEMU's end must not be answered without it.
    if let process, try process.hasEnded() { processEnded(process) }
    switch method {
    case "status": tell(.success(status))
    case "stop": stop(grace: try grace(params), tell)
    case "kill": kill(tell)
    case "start": try startNow(tell)
    case "reboot":
      reboot(force: try params.optional("force")?.bool() ?? false, grace: try grace(params), tell)
    case "pause": try onGuest("stop", tell)
    case "resume": try onGuest("cont", tell)
    case "agent": try askAgent(params, tell)
    case "exec": try exec(params, tell)
    case "set-policy":
      changedTime = host.uptime()
      // What is written there may be ahead of what runs.
      var written = try MonitorConfiguration.read(directory)
      try written.setPolicy(params)
      let readiness = configuration.readiness
      try configuration.setPolicy(params)
      try written.write(directory)
      // A guest stays ready where nothing else is asked of it.
      if state == .running || state == .paused, configuration.readiness != readiness {
        startProbes()
      }
      tell(.success([:]))
    case "qmp": try passOn(params, tell)
    case "hardware": try tellHardware(tell)
    case "add-forward", "remove-forward": try changeForward(method, params, tell)
    default: throw RPCError("the monitor knows no method '\(method)'")
    }
  }

  private func grace(_ params: JSONReader) throws(JSONShapeError) -> Int? {
    try params.optional("grace")?.integer(0...86_400_000)
  }

  /// What the guest does and how it is.
  var status: JSONValue {
    [
      "state": .string(isSilent && process != nil ? "unresponsive" : state.rawValue),
      "detail": .string(detail), "stopping": .bool(stopping != nil),
      "ready": .bool(isReady && state == .running),
      "readyProblem": .string(readyProblem), "started": started?.json ?? .null,
      "exit": lastExit?.json ?? .null, "addresses": addresses,
      "agent": .bool(agent?.isGuestListening == true), "restarts": .integer(Int64(restarts)),
      "strategy": .string(configuration.strategy.rawValue),
      "sequence": .integer(journal.sequence),
    ]
  }

  private func startNow(_ tell: (Result<JSONValue, RPCError>) -> Void) throws(RPCError) {
    guard state == .backoff else {
      throw RPCError("the guest does not wait for a restart: it is \(state.rawValue)")
    }
    restartNow()
    tell(.success([:]))
  }

  private func onGuest(
    _ command: String, _ tell: @escaping (Result<JSONValue, RPCError>) -> Void
  ) throws(RPCError) {
    guard let qmp, state == .running || state == .paused else { throw notRunning }
    note("request", ["request": .string(command == "stop" ? "pause" : "resume")])
    qmp.execute(command, deadline: QMPChannel.block) { [weak self] result in
      if case .success = result { self?.state = command == "stop" ? .paused : .running }
      tell(result.forRPC)
    }
  }

  var notRunning: RPCError { RPCError("the guest does not run: it is \(state.rawValue)") }

  private func askAgent(
    _ params: JSONReader, _ tell: @escaping (Result<JSONValue, RPCError>) -> Void
  ) throws {
    let command = try params.member("command").string()
    let arguments = params.value["arguments"]?.object ?? [:]
    let deadline = try params.optional("timeout")?.integer(1...3_600_000) ?? 5000
    guard let agent else { throw notRunning }
    agent.execute(command, arguments, deadline: deadline) { tell($0.forRPC) }
  }

  private func exec(
    _ params: JSONReader, _ tell: @escaping (Result<JSONValue, RPCError>) -> Void
  ) throws {
    let command = try params.member("command").strings()
    let timeout = try params.optional("timeout")?.integer(1...86_400_000) ?? 60_000
    guard !command.isEmpty else { throw RPCError("the command is empty") }
    guard let agent else { throw notRunning }
    AgentExec.run(
      command, input: try params.optional("input")?.string(), on: agent, loop: loop,
      now: host.uptime, milliseconds: timeout
    ) { tell($0.forRPC) }
  }

  /// Asks QEMU for all that `Hardware` reads; what can't be answered is missing.
  private func tellHardware(
    _ tell: @escaping (Result<JSONValue, RPCError>) -> Void
  ) throws(RPCError) {
    guard let qmp, state == .running || state == .paused else { throw notRunning }
    var answers: JSONValue = [:]
    for query in Hardware.queries {
      qmp.execute(query.name, query.arguments) { result in
        // Answers come in the order of the questions.
        if case .success(let value) = result { answers[query.name] = value }
        if query == Hardware.queries.last { tell(.success(answers)) }
      }
    }
  }

  /// Adds or removes a port of the host; user networking has this as a human command alone.
  private func changeForward(
    _ method: String, _ params: JSONReader,
    _ tell: @escaping (Result<JSONValue, RPCError>) -> Void
  ) throws {
    let interface = try params.member("interface").string()
    let forward = try MachineSpec.HostForward(params.member("forward"))
    guard interface.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }) else {
      throw RPCError("'\(interface)' is no interface's name")
    }
    guard forward.hostAddress.allSatisfy({ $0.isNumber || $0 == "." }) else {
      throw RPCError("'\(forward.hostAddress)' is no IPv4 address")
    }
    guard let qmp else { throw notRunning }
    // What is there already can't be added, so that to ask twice needs a removal before.
    tellForward(
      qmp, "hostfwd_remove \(interface) \(forward.removalArgument)",
      ending: ["removed", "not found"], method == "remove-forward" ? tell : { _ in })
    guard method == "add-forward" else { return }
    tellForward(qmp, "hostfwd_add \(interface) \(forward.argument)", ending: [], tell)
  }

  /// - Parameter ending: what a success may end with; without a text it is one too.
  private func tellForward(
    _ qmp: QMPChannel, _ line: String, ending: [String],
    _ tell: @escaping (Result<JSONValue, RPCError>) -> Void
  ) {
    qmp.execute("human-monitor-command", ["command-line": .string(line)]) { result in
      // Success says nothing here; a failure is known by the text alone.
      if case .success(let value) = result, let text = value.string?.filter({ !$0.isNewline }),
        !text.isEmpty, !ending.contains(where: text.hasSuffix)
      {
        return tell(.failure(RPCError(text)))
      }
      tell(result.forRPC)
    }
  }
}
