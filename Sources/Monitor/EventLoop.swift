internal import SystemIO

/// The monitor's one thread: waits for descriptors and times, and calls who asked.
///
/// Nothing called from here may block.
final class EventLoop {
  /// Names a timer, to cancel it.
  typealias Timer = Int

  private struct Watch {
    var wantsWrite: Bool
    let body: (_ canRead: Bool, _ canWrite: Bool) -> Void
  }

  private let uptime: @Sendable () -> UInt64
  private var watches: [Int32: Watch] = [:]
  private var timers: [(id: Timer, due: UInt64, body: () -> Void)] = []
  private var lastTimer: Timer = 0
  private var stopped = false

  init(uptime: @escaping @Sendable () -> UInt64) { self.uptime = uptime }

  /// Calls `body` whenever the descriptor is ready; it must be unwatched before it is closed.
  func watch(
    _ descriptor: Descriptor, wantsWrite: Bool = false,
    _ body: @escaping (_ canRead: Bool, _ canWrite: Bool) -> Void
  ) {
    watches[descriptor.raw] = Watch(wantsWrite: wantsWrite, body: body)
  }

  func setWantsWrite(_ descriptor: Descriptor, _ wantsWrite: Bool) {
    watches[descriptor.raw]?.wantsWrite = wantsWrite
  }

  func unwatch(_ descriptor: Descriptor) { watches[descriptor.raw] = nil }

  /// Calls `body` once, after that many milliseconds.
  @discardableResult
  func after(milliseconds: Int, _ body: @escaping () -> Void) -> Timer {
    lastTimer += 1
    let due = uptime() + UInt64(max(0, milliseconds)) * 1_000_000
    timers.append((lastTimer, due, body))
    return lastTimer
  }

  func cancel(_ timer: Timer?) {
    guard let timer else { return }
    timers.removeAll { $0.id == timer }
  }

  func stop() { stopped = true }

  /// Runs until `stop()`.
  func run() throws(SystemError) {
    while !stopped { try turn() }
  }

  private func turn() throws(SystemError) {
    // In order of number, so that what happens does not follow a dictionary's order.
    var entries = watches.sorted { $0.key < $1.key }.map {
      PollEntry($0.key, wantsRead: true, wantsWrite: $0.value.wantsWrite)
    }
    try poll(&entries, milliseconds: waitTime())
    for entry in entries where entry.isReady && !stopped {
      // An earlier call may have unwatched it.
      watches[entry.descriptor]?.body(entry.canRead, entry.canWrite)
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
