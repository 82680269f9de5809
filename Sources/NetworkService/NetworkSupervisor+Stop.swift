internal import Networking
internal import Supervision
internal import SystemIO

extension NetworkSupervisor {
  /// Ends the network: its links, processes, rules and sockets are gone when `done` is called.
  ///
  /// Asked again meanwhile, as by a command whose forerunner died, it is the same end that is told.
  func stop(_ done: @escaping Done) {
    waitingForEnd.append(done)
    if isStopping { return }
    isStopping = true
    loop.cancel(retryTimer)
    forwards.stop()
    // What is being built is finished first, so that nothing is made behind its removal.
    if isBuilding { return waiting.append { [unowned self] _ in takeDown() } }
    takeDown()
  }

  private func takeDown() {
    // What can't be removed does not keep the rest from being removed.
    let steps = [removeLinks, removePair, removeHostRules]
    carryOut(steps[...], nil) { [unowned self] error in
      endProcesses([uplink, names, gate]) { [unowned self] in
        namespace = nil
        gateClient.close()
        do {
          try removeFile(directory.gate)
        } catch {
          log.write("\(error)")
        }
        if let error { log.write("\(error)") }
        for done in waitingForEnd { done(error) }
        onFinished()
      }
    }
  }

  private func carryOut(
    _ steps: ArraySlice<(@escaping Done) -> Void>, _ problem: NetworkError?, _ done: @escaping Done
  ) {
    guard let step = steps.first else { return done(problem) }
    step { [unowned self] error in carryOut(steps.dropFirst(), problem ?? error, done) }
  }

  private func endProcesses(_ processes: [SideProcess], _ done: @escaping () -> Void) {
    guard let first = processes.first else { return done() }
    first.stop { [unowned self] in endProcesses(Array(processes.dropFirst()), done) }
  }

  /// A machine that holds a tap holds a dead one then.
  private func removeLinks(_ done: @escaping Done) {
    guard let network, network.mode == .bridge || namespace != nil else { return done(nil) }
    links { [unowned self] result in
      guard case .success(let state) = result else { return done(result.failure) }
      let taps = network.ports.map(\.tap)
      let bridge = network.mode == .bridge ? nil : PacketRules.bridgeName
      let present = state.links.map(\.name).filter { name in
        taps.contains(name) || name == bridge
      }
      carryOut(present.map { "link del dev \($0)" }, done)
    }
  }

  /// Takes away root's uplink, by its name: the configuration may be gone, or another.
  private func removePair(_ done: @escaping Done) {
    guard effectiveUserID() == 0 else { return done(nil) }
    let link = RootUplink.hostInterface(of: directory)
    links(onHost: true) { [unowned self] result in
      guard case .success(let state) = result, state[link] != nil else {
        return done(result.failure)
      }
      run(.ip, ["link", "delete", "dev", link], onHost: true) { done($0.failure) }
    }
  }

  /// Takes away what the host has of rules for the network; those in a namespace go with it.
  private func removeHostRules(_ done: @escaping Done) {
    guard effectiveUserID() == 0 else { return done(nil) }
    let text = PacketRules.removal(of: RootUplink.hostTable(of: directory))
    run(.nft, ["--file", "-"], input: text, onHost: true) { done($0.failure) }
  }
}
