internal import Networking
internal import Supervision
internal import SystemIO

/// A socket for datagrams, and the senders it knows: each has a socket of its own inside, by which
/// answers find back.
final class DatagramForward {
  private struct Sender {
    let endpoint: InternetEndpoint
    var inside: Descriptor?
    /// What came before there was a socket inside.
    var waiting: [[UInt8]] = []
    /// Whether anything came or went since the timer was set.
    var isActive = false
    var timer: EventLoop.Timer?
  }

  private static let waitingLimit = 16
  /// How many datagrams are passed on at once before others have their turn.
  private static let batch = 32

  /// What it leads to; a change forgets the senders.
  var target: ForwardTarget {
    didSet {
      if target != oldValue { for id in senders.keys.sorted() { forget(id) } }
    }
  }
  private let loop: EventLoop
  private let socket: Descriptor
  private let count: ForwardCount
  private let dial: ForwardProxy.Dial
  private let idleTime: Int
  private var senders: [Int: Sender] = [:]
  private var ids: [InternetEndpoint: Int] = [:]
  private var lastSender = 0

  init(
    _ loop: EventLoop, _ socket: Descriptor, _ target: ForwardTarget, _ count: ForwardCount,
    _ dial: @escaping ForwardProxy.Dial, idleTime: Int
  ) {
    self.loop = loop
    self.socket = socket
    self.target = target
    self.count = count
    self.dial = dial
    self.idleTime = idleTime
    loop.watch(socket) { [weak self] _, _ in self?.receive() }
  }

  func close() {
    loop.unwatch(socket)
    for id in senders.keys.sorted() { forget(id) }
  }

  private func receive() {
    for _ in 0..<Self.batch {
      // A failure tells of an answer that did not arrive; datagrams may get lost.
      guard let datagram = try? InternetSocket.receive(from: socket) else { return }
      guard let id = ids[datagram.sender] ?? begin(datagram.sender) else { continue }
      senders[id]?.isActive = true
      if let inside = senders[id]?.inside {
        passIn(datagram.bytes, inside)
      } else if senders[id]?.waiting.count ?? 0 < Self.waitingLimit {
        senders[id]?.waiting.append(datagram.bytes)
      }
    }
  }

  /// Nil where the sender is not let in, or there is no room.
  private func begin(_ endpoint: InternetEndpoint) -> Int? {
    guard target.admits(endpoint.address), count.take() else { return nil }
    lastSender += 1
    let id = lastSender
    senders[id] = Sender(endpoint: endpoint)
    ids[endpoint] = id
    wait(id)
    dial(.udp, target.address, target.forward.guestPort) { [weak self] answer in
      self?.isDialled(id, answer)
    }
    // It may have failed at once.
    return senders[id] == nil ? nil : id
  }

  private func isDialled(_ id: Int, _ answer: Result<Descriptor, NetworkError>) {
    guard let sender = senders[id] else { return }
    guard case .success(let inside) = answer else { return forget(id) }
    senders[id]?.inside = inside
    senders[id]?.waiting = []
    for bytes in sender.waiting { passIn(bytes, inside) }
    loop.watch(inside) { [weak self] _, _ in self?.answer(id, inside) }
  }

  private func passIn(_ bytes: [UInt8], _ inside: Descriptor) {
    // What is not taken is lost, as datagrams may be; the answer says if nobody listens there.
    _ = try? StreamSocket.send(bytes[...], on: inside)
  }

  private func answer(_ id: Int, _ inside: Descriptor) {
    guard let sender = senders[id] else { return }
    for _ in 0..<Self.batch {
      do throws(SystemError) {
        guard let bytes = try StreamSocket.receive(from: inside, atMost: 1 << 16) else { return }
        senders[id]?.isActive = true
        try InternetSocket.send(bytes, to: sender.endpoint, on: socket)
      } catch {
        // Nobody listens in the guest now, or the sender is gone; another datagram tries again.
        return
      }
    }
  }

  private func wait(_ id: Int) {
    senders[id]?.isActive = false
    senders[id]?.timer = loop.after(milliseconds: idleTime) { [weak self] in
      guard let self, let sender = self.senders[id] else { return }
      if sender.isActive { self.wait(id) } else { self.forget(id) }
    }
  }

  private func forget(_ id: Int) {
    guard let sender = senders.removeValue(forKey: id) else { return }
    ids[sender.endpoint] = nil
    loop.cancel(sender.timer)
    if let inside = sender.inside { loop.unwatch(inside) }
    count.release()
  }
}
