internal import JSON
internal import Networking
internal import QEMU
internal import Supervision
internal import SystemIO

// The guest's network cards whose cables lead into networks: their taps, and the connections to the
// networks' supervisors, one for each network as long as the guest runs.

extension Supervisor {
  /// A tap for a card of the guest that is about to start.
  typealias OpenedTap = (card: GuestTap, descriptor: Descriptor)

  /// Opens the taps of cards, in their order; meanwhile the loop goes on.
  func openTaps(
    _ cards: [MachineSpec.Interface], _ opened: [OpenedTap] = [],
    _ completion: @escaping (Result<[OpenedTap], RPCError>) -> Void
  ) {
    guard let card = cards.first else { return completion(.success(opened)) }
    guard let tap = card.tap else {
      return openTaps(Array(cards.dropFirst()), opened, completion)
    }
    openTap(tap) { [weak self] result in
      switch result {
      case .failure(let error): completion(.failure(error))
      case .success(let place):
        let record = GuestTap(
          card.id, tap, namespace: place.namespace, device: card.device(on: card.firstPort).object,
          isConnected: card.isConnected)
        self?.openTaps(
          Array(cards.dropFirst()), opened + [(record, place.descriptor)], completion)
      }
    }
  }

  /// Opens one tap; the error names the network.
  func openTap(
    _ tap: QMPCommand.Tap, _ completion: @escaping (Result<NetworkChannel.Tap, RPCError>) -> Void
  ) {
    link(to: tap.network).tap(tap.port) { result in
      completion(
        result.mapError {
          RPCError("port '\(tap.port)' of the network in \(tap.network) can't be had: \($0)")
        })
    }
  }

  /// The connection to a network's supervisor, made where there is none.
  func link(to network: String) -> NetworkLink {
    if let link = links.first(where: { $0.path == network }) { return link }
    let link = NetworkLink(network, self)
    link.onNamespace = { [unowned self] in followNamespace(of: network) }
    links.append(link)
    return link
  }

  /// Connects to the networks of a guest that was taken up.
  func linkToNetworks() {
    for card in started?.taps ?? [] { _ = link(to: card.network) }
  }

  func closeLinks() {
    replugs = []
    for link in links { link.close() }
    links = []
  }

  /// Ends the connections to networks that no card leads to any more.
  func dropIdleLinks() {
    let used = Set((started?.taps ?? []).map(\.network))
    for link in links where !used.contains(link.path) { link.close() }
    links.removeAll { !used.contains($0.path) }
  }

  /// Changes what is recorded of the guest's cards on networks, durably.
  func changeTaps(_ change: (inout [GuestTap]) -> Void) {
    guard var record = started else { return }
    change(&record.taps)
    guard record != started else { return }
    started = record
    saveStarted()
  }

  func changeTap(_ id: String, _ change: (inout GuestTap) -> Void) {
    changeTaps { taps in
      if let index = taps.firstIndex(where: { $0.id == id }) { change(&taps[index]) }
    }
  }

  /// Plugs cards anew whose taps are in another namespace than their network is in now.
  func followNamespace(of network: String) {
    let namespace = links.first { $0.path == network }?.namespace ?? 0
    guard namespace != 0, state == .running || state == .paused else { return }
    for card in started?.taps ?? []
    where card.network == network && card.namespace != namespace && !card.isLeaving
      && !replugs.contains(where: { $0.id == card.id })
    {
      let replug = Replug(card.id, self)
      replugs.append(replug)
      replug.begin()
    }
  }
}
