internal import JSON
internal import Networking
internal import Supervision
internal import SystemIO

extension NetworkSupervisor {
  /// Opens the way out that the network has, and no other.
  func openUplink(_ done: @escaping Done) {
    guard let network, let namespace else { return uplink.stop { done(nil) } }
    switch network.uplink {
    case .userMode: openUserMode(namespace, done)
    case .none: uplink.stop { done(nil) }
    case .veth: uplink.stop { [unowned self] in openPair(network, done) }
    }
  }

  private func openUserMode(_ namespace: Namespace, _ done: @escaping Done) {
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

  // MARK: Root's uplink

  private func openPair(_ network: NetworkConfiguration, _ done: @escaping Done) {
    do {
      guard let pair = try rootUplink(network), let pid = gate.process?.identity.pid else {
        return done(NetworkError("the gate has ended"))
      }
      guard effectiveUserID() == 0 else {
        throw NetworkError(
          "network '\(network.name)': an uplink through the host's routing needs root")
      }
      for (file, value) in pair.settings { _ = try KernelSetting.set(file, to: value) }
      // Its rules before the pair: nothing comes in by a pair that none guards.
      loadUplinkRules(pair) { [unowned self] error in
        if let error { return done(error) }
        joinPair(network, pair, pid) { [unowned self] error in
          if let error { return done(error) }
          lookForForeignRules(pair, done)
        }
      }
    } catch {
      done(NetworkError("\(error)"))
    }
  }

  private func rootUplink(_ network: NetworkConfiguration) throws -> RootUplink? {
    RootUplink(
      network, directory: directory,
      hostForwardsIPv6: try KernelSetting.value(of: "net/ipv6/conf/all/forwarding") == "1")
  }

  private func loadUplinkRules(_ pair: RootUplink, _ done: @escaping Done) {
    if uplinkRules == pair.rules { return done(nil) }
    run(.nft, ["--file", "-"], input: pair.rules, onHost: true) { [unowned self] result in
      if result.failure == nil { uplinkRules = pair.rules }
      done(result.failure)
    }
  }

  /// Makes the pair, unless both ends are there as they are to be.
  private func joinPair(
    _ network: NetworkConfiguration, _ pair: RootUplink, _ pid: Int32, _ done: @escaping Done
  ) {
    links(onHost: true) { [unowned self] outside in
      links { [unowned self] inside in
        do throws(NetworkError) {
          let present = try outside.get()[pair.hostInterface]
          let ends = [present, try inside.get()[RootUplink.guestInterface]]
          if ends.allSatisfy({ $0?.isUp == true && $0?.mtu == network.mtu }),
            network.uplink.addresses == ends.map({ $0?.addresses.first?.local })
          {
            return done(nil)
          }
          let removal = present == nil ? "" : pair.linkRemoval
          run(
            .ip, ["-batch", "-"], input: removal + pair.linkCommands(namespacePID: pid),
            onHost: true
          ) { [unowned self] result in
            if let error = result.failure { return done(error) }
            run(.ip, ["-batch", "-"], input: pair.guestCommands) { done($0.failure) }
          }
        } catch {
          done(error)
        }
      }
    }
  }

  private func lookForForeignRules(_ pair: RootUplink, _ done: @escaping Done) {
    run(.nft, ["--json", "list", "ruleset"], onHost: true) { [unowned self] result in
      // What can't be read can't be told of; it may well do no harm.
      let ruleset = (try? result.get()).flatMap { try? JSONValue(parsing: $0) }
      uplinkProblem =
        ruleset.flatMap { ForeignRules($0).problem(forwarding: pair.hostInterface) } ?? ""
      if !uplinkProblem.isEmpty { log.write(uplinkProblem) }
      done(nil)
    }
  }
}

extension NetworkConfiguration.Uplink {
  /// Whether it goes through the host's own routing.
  var isPair: Bool { !addresses.isEmpty }

  /// The addresses of a pair's ends: the host's and the network's.
  fileprivate var addresses: [String?] {
    if case .veth(let host, let guest) = self { return [host, guest] }
    return []
  }
}
