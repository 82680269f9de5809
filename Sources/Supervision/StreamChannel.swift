public import SystemIO

/// A non-blocking socket in the event loop, with a bounded queue of what is still to be sent.
public final class StreamChannel {
  private let loop: EventLoop
  private let socket: Descriptor
  private let outputLimit: Int
  private var output: [UInt8] = []
  private var sent = 0
  /// Descriptors that go with the byte of `output` at that place.
  private var attached: [(place: Int, descriptor: Descriptor)] = []
  /// Whether it can be used.
  public private(set) var isOpen = true
  private var closesWhenSent = false
  /// Called with bytes as they come.
  public var onBytes: ([UInt8]) -> Void = { _ in }
  /// Called with each descriptor that comes, before the bytes it came with; without it none is
  /// taken.
  public var onDescriptor: ((Descriptor) -> Void)?
  /// Called once, when the other end is gone or broken.
  public var onClose: () -> Void = {}

  /// Takes a connected socket into the loop.
  ///
  /// - Parameter outputLimit: how many bytes may wait until the other end takes them.
  public init(_ loop: EventLoop, _ socket: Descriptor, outputLimit: Int) {
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
  public var pending: Int { output.count - sent }

  /// Queues bytes; false, and nothing queued, where the queue has no room for them.
  ///
  /// - Parameter descriptor: goes to the other end of a Unix socket with the first of the bytes.
  @discardableResult
  public func send(_ bytes: [UInt8], passing descriptor: Descriptor? = nil) -> Bool {
    guard isOpen, !closesWhenSent, descriptor == nil || !bytes.isEmpty else { return false }
    guard pending + bytes.count <= outputLimit else { return false }
    if let descriptor { attached.append((output.count, descriptor)) }
    output += bytes
    flush()
    return true
  }

  /// Closes without calling `onClose`.
  public func close() {
    guard isOpen else { return }
    isOpen = false
    attached = []
    loop.unwatch(socket)
    onBytes = { _ in }
    onDescriptor = nil
    onClose = {}
  }

  /// Closes once everything is sent.
  public func closeWhenSent() {
    closesWhenSent = true
    if pending == 0 { end() }
  }

  /// Takes in what is there already, up to the end or until nothing is left.
  public func drain() {
    while isOpen, readOnce() {}
  }

  @discardableResult
  private func readOnce() -> Bool {
    do {
      guard let bytes = try receive() else { return false }
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

  private func receive() throws(SystemError) -> [UInt8]? {
    guard let onDescriptor else { return try StreamSocket.receive(from: socket) }
    let received = try PassedDescriptor.receive(from: socket, name: "what came on \(socket.name)")
    if let descriptor = received?.descriptor { onDescriptor(descriptor) }
    return received?.bytes
  }

  /// Sends what the kernel takes now.
  public func flush() {
    do {
      while isOpen, sent < output.count {
        let count = try sendNext()
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
      for index in attached.indices { attached[index].place -= sent }
      sent = 0
    }
    if isOpen { loop.setWantsWrite(socket, pending > 0) }
  }

  /// Sends up to the next byte that a descriptor goes with, or from it on.
  private func sendNext() throws(SystemError) -> Int {
    guard let next = attached.first else {
      return try StreamSocket.send(output[sent...], on: socket)
    }
    if sent < next.place { return try StreamSocket.send(output[sent..<next.place], on: socket) }
    let end = attached.count > 1 ? attached[1].place : output.count
    let count = try PassedDescriptor.send(
      next.descriptor, with: output[sent..<end], on: socket)
    if count > 0 { attached.removeFirst() }
    return count
  }

  private func end() {
    guard isOpen else { return }
    let closed = onClose
    close()
    closed()
  }
}
