internal import Dispatch
internal import Glibc
internal import Synchronization

/// The pipe by which a signal handler wakes the thread that does the work; set before the handler.
private let wakeup = Atomic<Int32>(-1)

/// What SIGINT and SIGTERM do: the first cancels the command's task, the second ends the process.
final class Interrupts: Sendable {
  /// The one of this process.
  static let shared = Interrupts()

  /// What a command does that must not be left half-done.
  struct WorkUnderWay: Sendable {
    /// The acts that would be left unfinished.
    var leftovers: @Sendable () -> [String]
    /// Says a line to the user without spoiling what is drawn.
    var say: @Sendable (String) -> Void
  }

  private struct State {
    var count = 0
    var isPrompting = false
    var cancel: (@Sendable () -> Void)?
    var work: WorkUnderWay?
    var restore: [Int: @Sendable () -> Void] = [:]
    var nextToken = 0
  }

  private let state = Mutex(State())

  /// Begins to listen; `cancel` is called at the first signal.
  ///
  /// The signals are caught, never ignored or blocked: both of these would be inherited by every
  /// program that is started from here, handlers are not.
  func install(cancel: @escaping @Sendable () -> Void) {
    state.withLock { $0.cancel = cancel }
    // A closed pipe is noticed at the write; see TextStream.
    signal(SIGPIPE) { _ in }
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let (reading, writing) = (ends[0], ends[1])
    wakeup.store(writing, ordering: .sequentiallyConsistent)
    DispatchQueue(label: "ingot.signals").async {
      var byte: UInt8 = 0
      while true {
        let count = read(reading, &byte, 1)
        if count == 1 { self.arrived() } else if count == 0 || errno != EINTR { return }
      }
    }
    for number in [SIGINT, SIGTERM] {
      signal(number) { _ in
        // All that is allowed here is what signal-safety(7) lists.
        let saved = errno
        var byte: UInt8 = 1
        _ = write(wakeup.load(ordering: .sequentiallyConsistent), &byte, 1)
        errno = saved
      }
    }
  }

  /// Sets what is under way; nil where nothing is.
  func setWork(_ work: WorkUnderWay?) { state.withLock { $0.work = work } }

  /// Tells whether the command waits for an answer; then nothing is under way, and the first
  /// signal ends the process.
  func setPrompting(_ isPrompting: Bool) { state.withLock { $0.isPrompting = isPrompting } }

  /// Registers what must be put right before the process ends at once, such as the terminal's mode.
  ///
  /// - Returns: a token for `forget`.
  func onExit(_ action: @escaping @Sendable () -> Void) -> Int {
    state.withLock {
      $0.nextToken += 1
      $0.restore[$0.nextToken] = action
      return $0.nextToken
    }
  }

  /// Takes back what `onExit` registered.
  func forget(_ token: Int) { state.withLock { _ = $0.restore.removeValue(forKey: token) } }

  private func arrived() {
    let (count, cancel, work, restore) = state.withLock { state in
      state.count += state.isPrompting ? 2 : 1
      return (state.count, state.cancel, state.work, state.restore.values.map { $0 })
    }
    if count == 1 {
      work?.say("Interrupted: finishing what is under way. Press Ctrl-C again to leave at once.")
      cancel?()
      return
    }
    for action in restore { action() }
    let left = work?.leftovers() ?? []
    if !left.isEmpty {
      TextStream.errors.line("Left unfinished, the next apply completes it:")
      for line in left { TextStream.errors.line("  \(line)") }
    }
    _exit(ExitStatus.interrupted.rawValue)
  }
}
