internal import Networking
internal import Supervision
internal import SystemIO

extension NetworkSupervisor {
  private func plan() throws(NetworkError) -> (NetworkConfiguration, LinkPlan) {
    guard let network else { throw NetworkError("the network has no configuration") }
    return (network, LinkPlan(network))
  }

  func makeBridge(_ done: @escaping Done) {
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

  func loadRules(_ done: @escaping Done) {
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

  func joinTaps(_ done: @escaping Done) {
    links { [unowned self] result in
      do throws(NetworkError) {
        let (network, plan) = try plan()
        let state = try result.get()
        carryOut(plan.addressCommands(state) + plan.tapCommands(state, dropped: droppedTaps)) {
          [unowned self] error in
          if let error { return done(error) }
          limit(network.ports.filter { state[$0.tap] != nil }, done)
        }
      } catch {
        done(error)
      }
    }
  }

  /// Limits what the guests at ports whose taps are there receive.
  func limit(_ ports: [NetworkConfiguration.Port], _ done: @escaping Done) {
    let changed = ports.filter { limits[$0.tap] != .some($0.inbound) }
    guard !changed.isEmpty else { return done(nil) }
    run(.tc, ["-batch", "-"], input: changed.map { Bandwidth.commands(for: $0) }.joined()) {
      [unowned self] result in
      if result.failure == nil {
        for port in changed { limits[port.tap] = .some(port.inbound) }
      }
      done(result.failure)
    }
  }
}
