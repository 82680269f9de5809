internal import CLinux
internal import Glibc

/// One descriptor to wait on.
public struct PollEntry: Sendable {
  /// The descriptor's number.
  public var descriptor: Int32
  /// Whether to wait until there is something to read, or the end.
  public var wantsRead: Bool
  /// Whether to wait until it takes something.
  public var wantsWrite: Bool
  /// Whether it can be read, or has ended or failed, which a read will tell.
  public var canRead = false
  /// Whether it can be written, or has failed, which a write will tell.
  public var canWrite = false
  /// Whether anything happened.
  public var isReady: Bool { canRead || canWrite }

  /// Names a descriptor and what to wait for.
  public init(_ descriptor: Int32, wantsRead: Bool = false, wantsWrite: Bool = false) {
    self.descriptor = descriptor
    self.wantsRead = wantsRead
    self.wantsWrite = wantsWrite
  }
}

/// Waits until one of the descriptors is ready, a signal came or the time is over (poll(2)).
///
/// - Parameter milliseconds: how long; negative means for ever.
public func poll(_ entries: inout [PollEntry], milliseconds: Int32) throws(SystemError) {
  var raw = entries.map { entry in
    pollfd(
      fd: entry.descriptor,
      events: Int16((entry.wantsRead ? POLLIN : 0) | (entry.wantsWrite ? POLLOUT : 0)), revents: 0)
  }
  let result = Glibc.poll(&raw, nfds_t(raw.count), milliseconds)
  if result < 0, errno != EINTR { throw SystemError("wait on", "descriptors", errno: errno) }
  for index in entries.indices {
    let events = result < 0 ? 0 : Int32(raw[index].revents)
    let failed = events & (POLLERR | POLLHUP | POLLNVAL) != 0
    entries[index].canRead = events & POLLIN != 0 || failed
    entries[index].canWrite = events & POLLOUT != 0 || (failed && entries[index].wantsWrite)
  }
}

/// Signals as something to poll, for an executable's own main thread.
public final class SignalReceiver: Sendable {
  /// Readable when a signal waits.
  public let descriptor: Descriptor

  /// Blocks the signals for the calling thread, and for threads it starts, and receives them here.
  ///
  /// To be called by an executable before it starts any thread.
  public init(_ signals: [Int32]) throws(SystemError) {
    let raw = try checked("receive", "signals") { clinux_signalfd(signals, Int32(signals.count)) }
    descriptor = Descriptor(owning: raw, name: "signals")
  }

  /// The next signal; nil where none waits.
  public func next() -> Int32? {
    let signal = clinux_signalfd_read(descriptor.raw)
    return signal == 0 ? nil : signal
  }
}
