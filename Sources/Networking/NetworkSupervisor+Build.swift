internal import Glibc
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
      let taps = new.ports.map(\.tap)
      droppedTaps = old.ports.map(\.tap).filter { !taps.contains($0) }
    }
    network = new
  }

  // MARK: The gate

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

  // MARK: Links and rules

  private func plan() throws(NetworkError) -> (NetworkConfiguration, LinkPlan) {
    guard let network else { throw NetworkError("the network has no configuration") }
    return (network, LinkPlan(network))
  }

  private func makeBridge(_ done: @escaping Done) {
    links { [unowned self] result in
      do throws(NetworkError) {
        let (_, plan) = try plan()
        carryOut(try plan.bridgeCommands(try result.get())) { [unowned self] error in
          if let error { return done(error) }
          gateClient.set(plan.settings) { done($0.failure) }
        }
      } catch {
        done(error)
      }
    }
  }

  private func loadRules(_ done: @escaping Done) {
    guard let network else { return done(nil) }
    guard let tracking else {
      return run(.nft, ["--check", "--file", "-"], input: PacketRules.bridgeTrackingProbe) {
        [unowned self] result in
        tracking = result.failure == nil ? .bridge : .internet
        loadRules(done)
      }
    }
    do throws(NetworkError) {
      let rules = try PacketRules(network, directory: directory, tracking: tracking)
      gateClient.set(rules.settings) { [unowned self] result in
        switch result {
        case .failure(let error): done(error)
        case .success(let missing):
          let needed = missing.filter { $0.hasPrefix("net/bridge/") }
          if tracking == .internet, PacketRules.needsTracking(network), !needed.isEmpty {
            return done(
              NetworkError(
                "network '\(network.name)' has filters, which need the kernel's module br_netfilter "
                  + "or nf_conntrack_bridge; load one of them"))
          }
          load(rules.text, done)
        }
      }
    } catch {
      done(error)
    }
  }

  /// Puts rules in force; the same ones stay, with what they count.
  private func load(_ text: String, _ done: @escaping Done) {
    let place = namespace?.inode ?? 0
    if loadedRules == (place, text) { return done(nil) }
    run(.nft, ["--file", "-"], input: text) { [unowned self] result in
      if result.failure == nil { loadedRules = (place, text) }
      done(result.failure)
    }
  }

  private func joinTaps(_ done: @escaping Done) {
    links { [unowned self] result in
      do throws(NetworkError) {
        let (_, plan) = try plan()
        let state = try result.get()
        carryOut(
          plan.addressCommands(state) + plan.tapCommands(state, dropped: droppedTaps), done)
      } catch {
        done(error)
      }
    }
  }

  // MARK: The uplink and the names

  private func openUplink(_ done: @escaping Done) {
    guard network?.uplink == .userMode, let namespace else { return uplink.stop { done(nil) } }
    uplink.keep(context: "\(namespace.inode)") {
      try namespace.owning { path throws(NetworkError) in
        try NetworkTool.slirp4netns.request(
          [
            "--configure", "--mtu=65520", "--enable-ipv6", "--disable-host-loopback",
            "--enable-sandbox", "--enable-seccomp", "--netns-type=path", path, "tap0",
          ])
      }
    } then: { [unowned self] result in
      if case .failure(let error) = result { return done(NetworkError("\(error)")) }
      awaitUplink(tries: 60, done)
    }
  }

  /// Waits until slirp4netns has given its interface an address.
  private func awaitUplink(tries: Int, _ done: @escaping Done) {
    links { [unowned self] result in
      if case .success(let state) = result, state["tap0"]?.addresses.isEmpty != false, tries > 0 {
        loop.after(milliseconds: 50) { [unowned self] in awaitUplink(tries: tries - 1, done) }
        return
      }
      // One that does not come up is told by the status; the guests have each other.
      done(result.failure)
    }
  }

  private func serveNames(_ done: @escaping Done) {
    guard let network, let namespace else { return names.stop { done(nil) } }
    do {
      let service = try NameService(network, directory: directory)
      switch try service.change() {
      case .restart:
        names.stop { [unowned self] in
          do {
            try service.write()
            keepNames(service, namespace, done)
          } catch {
            done(NetworkError("\(error)"))
          }
        }
      case .reread:
        try service.write()
        try names.signal(SIGHUP)
        keepNames(service, namespace, done)
      case .none: keepNames(service, namespace, done)
      }
    } catch {
      done(NetworkError("\(error)"))
    }
  }

  /// Where the addresses are others', there is nothing that a port could lead to.
  private func openForwards(_ done: @escaping Done) {
    if let network, network.mode != .bridge { forwards.reconcile(network.ports) }
    done(nil)
  }

  private func keepNames(
    _ service: NameService, _ namespace: Namespace, _ done: @escaping Done
  ) {
    names.keep(context: "\(namespace.inode) \(shortHash(service.configuration))") {
      try namespace.entering(NetworkTool.dnsmasq.request(service.arguments))
    } then: { result in
      if case .failure(let error) = result { return done(NetworkError("\(error)")) }
      done(nil)
    }
  }
}

extension Result {
  /// The failure; nil for a success.
  var failure: Failure? {
    if case .failure(let error) = self { return error }
    return nil
  }
}
