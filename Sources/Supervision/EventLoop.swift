public import SystemIO

/// A service's one thread: waits for descriptors and times, and calls who asked.
///
/// Nothing called from here may block.
public final class EventLoop {
  /// Names a timer, to cancel it.
  public typealias Timer = Int

  private struct Watch {
    /// Tells it from an earlier one of the same descriptor number.
    let id: Int
    var wantsRead: Bool
    var wantsWrite: Bool
    let body: (_ canRead: Bool, _ canWrite: Bool) -> Void
  }

  private let uptime: @Sendable () -> UInt64
  private var watches: [Int32: Watch] = [:]
  private var lastWatch = 0
  private var timers: [(id: Timer, due: UInt64, body: () -> Void)] = []
  private var lastTimer: Timer = 0
  private var stopped = false

  /// Makes a loop whose timers go by a clock of nanoseconds.
  public init(uptime: @escaping @Sendable () -> UInt64) { self.uptime = uptime }

  /// Calls `body` whenever the descriptor is ready; it must be unwatched before it is closed.
  ///
  /// Its end or failure is told whatever it wants.
  public func watch(
    _ descriptor: Descriptor, wantsRead: Bool = true, wantsWrite: Bool = false,
    _ body: @escaping (_ canRead: Bool, _ canWrite: Bool) -> Void
  ) {
    lastWatch += 1
    watches[descriptor.raw] = Watch(
      id: lastWatch, wantsRead: wantsRead, wantsWrite: wantsWrite, body: body)
  }

  /// Says whether to call when it can be read.
  public func setWantsRead(_ descriptor: Descriptor, _ wantsRead: Bool) {
    watches[descriptor.raw]?.wantsRead = wantsRead
  }

  /// Says whether to call when it takes something.
  public func setWantsWrite(_ descriptor: Descriptor, _ wantsWrite: Bool) {
    watches[descriptor.raw]?.wantsWrite = wantsWrite
  }

  /// Ends a watch; one that is not there is no error.
  public func unwatch(_ descriptor: Descriptor) { watches[descriptor.raw] = nil }

  /// Calls `body` once, after that many milliseconds.
  @discardableResult
  public func after(milliseconds: Int, _ body: @escaping () -> Void) -> Timer {
    lastTimer += 1
    let due = uptime() + UInt64(max(0, milliseconds)) * 1_000_000
    timers.append((lastTimer, due, body))
    return lastTimer
  }

  /// Cancels a timer; one that is over or nil is no error.
  public func cancel(_ timer: Timer?) {
    guard let timer else { return }
    timers.removeAll { $0.id == timer }
  }

  /// Ends `run` after the call that is being made.
  public func stop() { stopped = true }

  /// Runs until `stop()`.
  public func run() throws(SystemError) {
    while !stopped { try turn() }
  }

  private func turn() throws(SystemError) {
    // In order of number, so that what happens does not follow a dictionary's order.
    let watched = watches.sorted { $0.key < $1.key }
    var entries = watched.map {
      PollEntry($0.key, wantsRead: $0.value.wantsRead, wantsWrite: $0.value.wantsWrite)
    }
    try poll(&entries, milliseconds: waitTime())
    for (entry, asked) in zip(entries, watched) where entry.isReady && !stopped {
      // An earlier call may have unwatched it, and watched a new one of its number.
      guard let watch = watches[entry.descriptor], watch.id == asked.value.id else { continue }
      watch.body(entry.canRead, entry.canWrite)
    }
    let now = uptime()
    let due = timers.filter { $0.due <= now }.sorted { ($0.due, $0.id) < ($1.due, $1.id) }
    for timer in due where !stopped {
      guard let index = timers.firstIndex(where: { $0.id == timer.id }) else { continue }
      timers.remove(at: index)
      timer.body()
    }
  }

  private func waitTime() -> Int32 {
    guard let next = timers.map(\.due).min() else { return -1 }
    let now = uptime()
    // Rounded up: waking before the time would only spin.
    return next <= now ? 0 : Int32(clamping: (next - now + 999_999) / 1_000_000)
  }
}
