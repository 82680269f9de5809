internal import Supervision
internal import SystemIO

/// The guest's serial console: to everyone attached, and their keys to the guest.
///
/// QEMU writes the log itself; this keeps it within bounds.
final class Console {
  /// Bytes of the past that someone who attaches is shown first.
  static let replay = 1 << 15
  private static let outputLimit = 1 << 20

  let log: ConsoleLog
  private let loop: EventLoop
  private let onLogFailure: (SystemError) -> Void
  private var guest: StreamChannel?
  private var clients: [ObjectIdentifier: StreamChannel] = [:]
  private var recent: [UInt8]
  /// Whether bytes came since the connection; until then the log may know more than `recent`.
  private var isLive = false

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
    isLive = false
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
    if !isLive { recall() }
    client.send(recent)
    if !typed.isEmpty { userTyped(typed) }
  }

  /// Tells everyone attached that it is over.
  func detachAll() {
    for client in clients.values { client.closeWhenSent() }
    clients = [:]
  }

  /// From here on the output is of a new boot.
  func beginBoot() {
    attempt { () throws(SystemError) in try log.beginBoot() }
  }

  /// Takes up the boot another monitor saw begin.
  func resumeBoot(_ start: Int) {
    attempt { () throws(SystemError) in try log.resumeBoot(start) }
  }

  /// Hands over what the log got since it was read last.
  func readLog(_ body: ([UInt8]) -> Void) {
    attempt { () throws(SystemError) in try log.readNew(body) }
  }

  /// Keeps the log within its limit.
  func boundLog() {
    attempt { () throws(SystemError) in try log.bound() }
  }

  private func recall() {
    attempt { () throws(SystemError) in recent = try log.tail(Self.replay) }
  }

  /// A log that can't be used stops neither the guest nor its console.
  private func attempt(_ body: () throws(SystemError) -> Void) {
    do {
      try body()
    } catch {
      onLogFailure(error)
    }
  }

  private func userTyped(_ bytes: [UInt8]) {
    // A guest that does not read its line loses what doesn't fit, as on a real one.
    guest?.send(bytes)
  }

  private func guestWrote(_ bytes: [UInt8]) {
    if !isLive {
      isLive = true
      recall()
      // QEMU writes to its client first and to the log then, so these may be there or not.
      if recent.suffix(bytes.count).elementsEqual(bytes) { recent.removeLast(bytes.count) }
    }
    recent += bytes
    if recent.count > 2 * Self.replay { recent.removeFirst(recent.count - Self.replay) }
    for (id, client) in clients where !client.send(bytes) {
      // Too slow: its reader sees the end and may attach again with the past replayed.
      client.close()
      clients[id] = nil
    }
    boundLog()
  }
}
