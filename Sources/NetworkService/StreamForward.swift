internal import Networking
internal import Supervision
internal import SystemIO

/// A listener for connections, and the connections it has passed on.
final class StreamForward {
  private struct Client {
    let target: ForwardTarget
    let socket: Descriptor
    let address: InternetAddress
    var splice: StreamSplice?
    var inside: Descriptor?
    var deadline: EventLoop.Timer?
  }

  /// Milliseconds until a guest must have taken a connection.
  private static let connectTime = 10_000

  /// What it leads to; a change ends the connections that lead elsewhere or are not let in.
  var target: ForwardTarget {
    didSet {
      guard target != oldValue else { return }
      for (id, client) in clients.sorted(by: { $0.key < $1.key })
      where client.target.address != target.address
        || client.target.forward != target.forward || !target.admits(client.address)
      { end(id) }
    }
  }
  private let loop: EventLoop
  private let listener: Descriptor
  private let count: ForwardCount
  private let dial: ForwardProxy.Dial
  private var clients: [Int: Client] = [:]
  private var lastClient = 0

  init(
    _ loop: EventLoop, _ listener: Descriptor, _ target: ForwardTarget, _ count: ForwardCount,
    _ dial: @escaping ForwardProxy.Dial
  ) {
    self.loop = loop
    self.listener = listener
    self.target = target
    self.count = count
    self.dial = dial
    goOn()
  }

  /// Takes connections, again after the network had no room for more.
  func goOn() {
    loop.watch(listener) { [weak self] _, _ in self?.acceptOne() }
  }

  func close() {
    loop.unwatch(listener)
    for id in clients.keys.sorted() { end(id) }
  }

  private func acceptOne() {
    // Without room they wait in the kernel's queue; whoever ends makes room and calls `goOn`.
    guard count.take() else { return loop.unwatch(listener) }
    do throws(SystemError) {
      guard let socket = try StreamSocket.accept(listener) else { return count.release() }
      try begin(socket)
    } catch {
      count.release()
      // Out of descriptors, or a client that is gone already: the listener is left alone for a
      // moment, or it would be told at each turn.
      loop.unwatch(listener)
      loop.after(milliseconds: 100) { [weak self] in self?.goOn() }
    }
  }

  private func begin(_ socket: Descriptor) throws(SystemError) {
    let address = try InternetSocket.peer(socket).address
    guard target.admits(address) else {
      try InternetSocket.abortAtClose(socket)
      return count.release()
    }
    try InternetSocket.prepareToPassOn(socket)
    lastClient += 1
    let id = lastClient
    let deadline = loop.after(milliseconds: Self.connectTime) { [weak self] in self?.end(id) }
    clients[id] = Client(target: target, socket: socket, address: address, deadline: deadline)
    dial(.tcp, target.address, target.forward.guestPort) { [weak self] answer in
      self?.isDialled(id, answer)
    }
  }

  private func isDialled(_ id: Int, _ answer: Result<Descriptor, NetworkError>) {
    guard clients[id] != nil else { return }
    guard case .success(let inside) = answer else { return end(id) }
    clients[id]?.inside = inside
    loop.watch(inside, wantsRead: false, wantsWrite: true) { [weak self] _, _ in
      self?.isConnected(id, inside)
    }
  }

  private func isConnected(_ id: Int, _ inside: Descriptor) {
    guard let client = clients[id] else { return }
    loop.unwatch(inside)
    guard StreamSocket.pendingError(inside) == nil else { return end(id) }
    // Only slower where the kernel refuses.
    try? InternetSocket.prepareToPassOn(inside)
    loop.cancel(client.deadline)
    clients[id]?.splice = StreamSplice(loop, client.socket, inside) { [weak self] in
      self?.isOver(id)
    }
  }

  /// Ends a connection; its client sees an error.
  private func end(_ id: Int) {
    guard let client = clients[id] else { return }
    if let splice = client.splice { return splice.abort() }
    // What can't be set is closed all the same.
    try? InternetSocket.abortAtClose(client.socket)
    if let inside = client.inside { loop.unwatch(inside) }
    isOver(id)
  }

  private func isOver(_ id: Int) {
    guard let client = clients.removeValue(forKey: id) else { return }
    loop.cancel(client.deadline)
    count.release()
  }
}
