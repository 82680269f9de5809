internal import SystemIO

/// The guest's serial console: into the log, to everyone attached, and their keys to the guest.
final class Console {
  /// Bytes of the past that someone who attaches is shown first.
  static let replay = 1 << 15
  private static let outputLimit = 1 << 20

  private let log: ConsoleLog
  private let loop: EventLoop
  private let onLogFailure: (SystemError) -> Void
  private var guest: StreamChannel?
  private var clients: [ObjectIdentifier: StreamChannel] = [:]
  private var recent: [UInt8]
  /// Called with what the guest writes.
  var onBytes: ([UInt8]) -> Void = { _ in }

  init(
    _ loop: EventLoop, _ log: ConsoleLog, onLogFailure: @escaping (SystemError) -> Void
  ) throws(SystemError) {
    self.loop = loop
    self.log = log
    self.onLogFailure = onLogFailure
    recent = try log.tail(Self.replay)
  }

  /// Connects to QEMU's end.
  func connect(_ path: String) throws(SystemError) {
    let channel = StreamChannel(loop, try StreamSocket.connect(path), outputLimit: 1 << 16)
    channel.onBytes = { [weak self] bytes in self?.guestWrote(bytes) }
    channel.onClose = { [weak self] in self?.guest = nil }
    guest = channel
  }

  /// Takes in what QEMU still holds, and lets go of it.
  func disconnect() {
    guest?.drain()
    guest?.close()
    guest = nil
  }

  /// Makes a connection a console: the past first, then both ways until either end closes.
  func attach(_ client: StreamChannel, typed: [UInt8]) {
    let id = ObjectIdentifier(client)
    clients[id] = client
    client.onBytes = { [weak self] bytes in self?.userTyped(bytes) }
    client.onClose = { [weak self] in self?.clients[id] = nil }
    client.send(recent)
    if !typed.isEmpty { userTyped(typed) }
  }

  /// Tells everyone attached that it is over.
  func detachAll() {
    for client in clients.values { client.closeWhenSent() }
    clients = [:]
  }

  private func userTyped(_ bytes: [UInt8]) {
    // A guest that does not read its line loses what doesn't fit, as on a real one.
    guest?.send(bytes)
  }

  private func guestWrote(_ bytes: [UInt8]) {
    do {
      try log.append(bytes)
    } catch {
      onLogFailure(error)
    }
    recent += bytes
    if recent.count > 2 * Self.replay { recent.removeFirst(recent.count - Self.replay) }
    for (id, client) in clients where !client.send(bytes) {
      // Too slow: its reader sees the end and may attach again with the past replayed.
      client.close()
      clients[id] = nil
    }
    onBytes(bytes)
  }
}
