internal import JSON
internal import Networking
internal import QEMU
internal import Supervision
internal import SystemIO

/// Takes a network card of a running guest out and puts it in again with a new tap: the old one's
/// network namespace is no more.
///
/// To the guest it is the same card in the same place. QEMU can't give a card another tap.
final class Replug {
  /// Milliseconds until the guest is asked again to let go of the card: one that is booting does
  /// not hear it.
  private static let patience = 10_000
  /// The waits after an attempt that failed, in milliseconds.
  private static let delay = RestartDelay(initial: 200, maximum: 10_000)

  /// QEMU's name of what is behind the card.
  let id: String
  private unowned let supervisor: Supervisor
  private let loop: EventLoop
  private var timer: EventLoop.Timer?
  private var awaitsLeave = false
  private var wasToldLate = false
  private var failures = 0

  init(_ id: String, _ supervisor: Supervisor) {
    self.id = id
    self.supervisor = supervisor
    loop = supervisor.loop
  }

  deinit { loop.cancel(timer) }

  private var card: GuestTap? { supervisor.started?.taps.first { $0.id == id } }

  /// Begins; the card's record tells from now on that it is not done.
  func begin() {
    supervisor.changeTap(id) { $0.namespace = 0 }
    takeOut()
  }

  /// The device of this name in QMP has left.
  func left(_ device: String) {
    guard awaitsLeave, device == card?.deviceID else { return }
    loop.cancel(timer)
    removeNetwork()
  }

  private func takeOut() {
    guard let card else { return end() }
    guard let device = card.deviceID else { return removeNetwork() }
    awaitsLeave = true
    supervisor.qmp?.execute("device_del", ["id": .string(device)]) { [weak self] result in
      guard let self, awaitsLeave else { return }
      switch result {
      case .failure(.refused(_, "DeviceNotFound", _)): removeNetwork()
      case .failure(.closed): end()
      // It is on its way out already, or QEMU is silent.
      case .success, .failure: askAgainLater()
      }
    }
  }

  private func askAgainLater() {
    timer = loop.after(milliseconds: Self.patience) { [weak self] in
      guard let self else { return }
      if !wasToldLate {
        wasToldLate = true
        supervisor.note(
          "replug-waits",
          ["interface": .string(id), "reason": "the guest has not let go of it"])
      }
      takeOut()
    }
  }

  private func removeNetwork() {
    awaitsLeave = false
    supervisor.qmp?.execute("netdev_del", ["id": .string(id)]) { [weak self] result in
      // One that is not there needs no removing; another refusal shows when it is added.
      guard let self else { return }
      if case .failure(.closed) = result { return end() }
      openTap()
    }
  }

  private func openTap() {
    guard let tap = card?.tap else { return end() }
    supervisor.openTap(tap) { [weak self] result in
      guard let self else { return }
      switch result {
      case .success(let place): add(tap, place)
      case .failure(let error): fail("\(error)")
      }
    }
  }

  private func add(_ tap: QMPCommand.Tap, _ place: NetworkChannel.Tap) {
    supervisor.plug(
      QMPCommand("netdev_add", MachineSpec.Interface.tapNetwork(id), tap: tap), place.descriptor
    ) { [weak self] result in
      guard let self else { return }
      if case .failure(let error) = result { return fail("\(error)") }
      guard let device = card?.device else { return finish(place.namespace) }
      supervisor.qmp?.execute("device_add", device) { [weak self] result in
        guard let self else { return }
        if case .failure(let error) = result { return fail("\(error)") }
        finish(place.namespace)
      }
    }
  }

  private func finish(_ namespace: UInt64) {
    if let card, !card.isConnected, let device = card.deviceID {
      supervisor.qmp?.execute("set_link", ["name": .string(device), "up": false])
    }
    supervisor.changeTap(id) { $0.namespace = namespace }
    supervisor.note("replugged", ["interface": .string(id)])
    let network = card?.network
    end()
    // The network may have been made anew once more meanwhile.
    if let network { supervisor.followNamespace(of: network) }
  }

  private func fail(_ problem: String) {
    failures += 1
    if failures == 1 {
      supervisor.note("replug-failed", ["interface": .string(id), "reason": .string(problem)])
    }
    timer = loop.after(milliseconds: Self.delay.wait(afterEnds: failures)) { [weak self] in
      self?.takeOut()
    }
  }

  private func end() {
    supervisor.replugs.removeAll { $0 === self }
  }
}
