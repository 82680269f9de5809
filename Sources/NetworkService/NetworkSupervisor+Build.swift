internal import Glibc
internal import Networking
internal import Supervision
internal import SystemIO

extension NetworkSupervisor {
  private typealias Step = (@escaping Done) -> Void

  /// Makes the network what its configuration says; what is right already is left alone.
  func build(_ done: @escaping Done) {
    do {
      try takeConfiguration()
    } catch {
      return done(error)
    }
    // No tap is joined and no way out opened before the rules are in force.
    let steps: [Step] = [
      openGate, makeBridge, loadRules, joinTaps, openUplink, serveNames, openForwards,
    ]
    carryOut(steps[...], done)
  }

  private func carryOut(_ steps: ArraySlice<Step>, _ done: @escaping Done) {
    guard let step = steps.first else { return done(nil) }
    step { [unowned self] error in
      if let error { return done(error) }
      carryOut(steps.dropFirst(), done)
    }
  }

  /// Reads the configuration; one that makes no sense leaves the one before in effect.
  private func takeConfiguration() throws(NetworkError) {
    let new = try NetworkConfiguration.read(directory)
    try new.check()
    if new.mode == .bridge, effectiveUserID() != 0 {
      throw NetworkError(
        "network '\(new.name)': to join the host's bridge '\(new.bridge ?? "")' needs root; run the "
          + "engine as root, or use mode nat")
    }
    if let old = network {
      guard (old.mode == .bridge) == (new.mode == .bridge), old.bridge == new.bridge else {
        throw NetworkError(
          "network '\(new.name)' can't change to or from the host's bridge while it is up; stop it "
            + "first")
      }
      guard !old.uplink.isPair || new.uplink.isPair else {
        throw NetworkError(
          "network '\(new.name)' can't change its uplink from the host's routing while it is up; "
            + "stop it first")
      }
      let taps = new.ports.map(\.tap)
      droppedTaps = old.ports.map(\.tap).filter { !taps.contains($0) }
    }
    network = new
  }

  private func openGate(_ done: @escaping Done) {
    gate.keep(context: network?.mode == .bridge ? "host" : "namespace") { [unowned self] in
      try gateLaunch()
    } then: { [unowned self] result in
      if case .failure(let error) = result { return done(NetworkError("\(error)")) }
      askGate(done)
    }
  }

  /// Waits until the gate says where it is, or has ended.
  private func askGate(_ done: @escaping Done) {
    var answer: Done? = done
    func finish(_ error: NetworkError?) {
      gate.onEnd = {}
      answer?(error)
      answer = nil
    }
    gate.onEnd = { [gate, isNew = namespace == nil] in
      let hint =
        isNew && effectiveUserID() != 0
        ? "; an ordinary user needs user namespaces: see the kernel's settings "
          + "kernel.unprivileged_userns_clone and kernel.apparmor_restrict_unprivileged_userns, or "
          + "run the engine as root" : ""
      finish(NetworkError(gate.problem + hint))
    }
    gateClient.hello { [unowned self] result in
      guard answer != nil else { return }
      do {
        try found(result.get())
        finish(nil)
      } catch {
        finish(NetworkError("\(error)"))
        log.write("the gate is ended: \(error)")
        // Another is started then. One that can't be ended has ended.
        try? gate.signal(SIGKILL)
      }
    }
  }

  private func gateLaunch() throws -> SpawnRequest {
    let listener = try StreamSocket.listen(directory.gate)
    let request = SpawnRequest(
      try ownExecutable(), ["gate", directory.path, "--listen-descriptor", "3"],
      environment: ["LC_ALL=C"], directory: "/", descriptors: [(target: 3, source: listener)])
    if let namespace { return try namespace.entering(request) }
    return network?.mode == .bridge ? request : try Namespace.creating(request)
  }

  /// The gate has said where it is.
  private func found(_ inode: UInt64) throws {
    if network?.mode == .bridge {
      guard try inode == Namespace.own() else {
        throw NetworkError("the gate is not in the host's namespace")
      }
      return
    }
    if namespace?.inode == inode { return }
    guard let pid = gate.process?.identity.pid else { throw NetworkError("the gate has ended") }
    let found = try Namespace(of: pid)
    guard found.inode == inode else { throw NetworkError("the gate is in another namespace") }
    namespace = found
  }
}

extension Result {
  /// The failure; nil for a success.
  var failure: Failure? {
    if case .failure(let error) = self { return error }
    return nil
  }
}
