internal import SystemIO

/// A non-blocking socket in the event loop, with a bounded queue of what is still to be sent.
final class StreamChannel {
  private let loop: EventLoop
  private let socket: Descriptor
  private let outputLimit: Int
  private var output: [UInt8] = []
  private var sent = 0
  private(set) var isOpen = true
  private var closesWhenSent = false
  /// Called with bytes as they come.
  var onBytes: ([UInt8]) -> Void = { _ in }
  /// Called once, when the other end is gone or broken.
  var onClose: () -> Void = {}

  init(_ loop: EventLoop, _ socket: Descriptor, outputLimit: Int) {
    self.loop = loop
    self.socket = socket
    self.outputLimit = outputLimit
    loop.watch(socket) { [weak self] canRead, canWrite in
      // Held for the length of the call: what is called may drop the channel.
      guard let self else { return }
      if canWrite { self.flush() }
      if canRead, self.isOpen { self.readOnce() }
    }
  }

  deinit { loop.unwatch(socket) }

  /// Bytes still to be sent.
  var pending: Int { output.count - sent }

  /// Queues bytes; false, and nothing queued, where the queue has no room for them.
  @discardableResult
  func send(_ bytes: [UInt8]) -> Bool {
    guard isOpen, !closesWhenSent else { return false }
    guard pending + bytes.count <= outputLimit else { return false }
    output += bytes
    flush()
    return true
  }

  /// Closes without calling `onClose`.
  func close() {
    guard isOpen else { return }
    isOpen = false
    loop.unwatch(socket)
    onBytes = { _ in }
    onClose = {}
  }

  /// Closes once everything is sent.
  func closeWhenSent() {
    closesWhenSent = true
    if pending == 0 { end() }
  }

  /// Takes in what is there already, up to the end or until nothing is left.
  func drain() {
    while isOpen, readOnce() {}
  }

  @discardableResult
  private func readOnce() -> Bool {
    do {
      guard let bytes = try StreamSocket.receive(from: socket) else { return false }
      if bytes.isEmpty {
        end()
        return false
      }
      onBytes(bytes)
      return true
    } catch {
      end()
      return false
    }
  }

  /// Sends what the kernel takes now.
  func flush() {
    do {
      while isOpen, sent < output.count {
        let count = try StreamSocket.send(output[sent...], on: socket)
        if count == 0 { break }
        sent += count
      }
    } catch {
      return end()
    }
    if sent == output.count {
      output.removeAll(keepingCapacity: output.capacity <= 1 << 16)
      sent = 0
      if closesWhenSent { return end() }
    } else if sent > 1 << 16 {
      output.removeFirst(sent)
      sent = 0
    }
    if isOpen { loop.setWantsWrite(socket, pending > 0) }
  }

  private func end() {
    guard isOpen else { return }
    let closed = onClose
    close()
    closed()
  }
}
