internal import Glibc
internal import Synchronization
internal import SystemIO

/// Set once, from any thread, to end what another thread does.
final class CancellationFlag: Sendable {
  private let value = Atomic(false)

  /// Whether it is set.
  var isSet: Bool { value.load(ordering: .acquiring) }

  /// Sets it.
  func set() { value.store(true, ordering: .releasing) }
}

/// A terminal and a guest's console, joined until one of them ends; blocks its thread.
struct ConsoleSession {
  /// The key that detaches: Ctrl-], as telnet and virsh have it.
  static let detachKey: UInt8 = 0x1d

  /// Why it ended.
  enum Outcome: Sendable {
    /// The user pressed the key.
    case detached
    /// The guest or its monitor went away.
    case ended
    /// The terminal went away or the process is asked to end.
    case interrupted

    /// What is told to the user.
    func sentence(_ name: String) -> String {
      switch self {
      case .detached: "Detached from \(name); it runs on."
      case .ended: "The console of \(name) ended."
      case .interrupted: "Detached from \(name)."
      }
    }
  }

  private let console: Descriptor
  private let first: [UInt8]

  /// Joins the process's terminal with a console whose first bytes were read already.
  init(_ console: Descriptor, first: [UInt8]) {
    self.console = console
    self.first = first
  }

  /// Runs until the key is pressed, either side ends, or the flag is set.
  func run(_ isOver: CancellationFlag) throws -> Outcome {
    let terminal = try RawTerminal()
    defer { terminal.restore() }
    TextStream.output.write(first)
    var typed: [UInt8] = []
    while !isOver.isSet {
      var entries = [
        PollEntry(STDIN_FILENO, wantsRead: typed.isEmpty),
        PollEntry(console.raw, wantsRead: true, wantsWrite: !typed.isEmpty),
      ]
      try poll(&entries, milliseconds: 200)
      if entries[1].canRead {
        guard let bytes = try StreamSocket.receive(from: console) else { continue }
        if bytes.isEmpty { return .ended }
        TextStream.output.write(bytes)
      }
      if entries[0].canRead {
        guard let keys = readKeys() else { return .interrupted }
        typed += keys.prefix { $0 != Self.detachKey }
        if keys.contains(Self.detachKey) {
          // What was typed before the key is still the guest's.
          _ = try StreamSocket.send(typed[...], on: console)
          return .detached
        }
      }
      if !typed.isEmpty {
        typed.removeFirst(try StreamSocket.send(typed[...], on: console))
      }
    }
    return .interrupted
  }

  /// What was typed; nil at the end of the terminal.
  private func readKeys() -> [UInt8]? {
    var buffer = [UInt8](repeating: 0, count: 1024)
    let count = read(STDIN_FILENO, &buffer, buffer.count)
    return count > 0 ? Array(buffer[..<count]) : nil
  }
}

/// The process's terminal in raw mode: every key goes through, nothing is echoed.
final class RawTerminal: Sendable {
  private let saved: termios
  private let token = Mutex(0)

  /// Changes the mode; it is put back by `restore`, and when the process ends at once.
  init() throws(SystemError) {
    var mode = termios()
    try checked("set up", "the terminal") { tcgetattr(STDIN_FILENO, &mode) }
    saved = mode
    cfmakeraw(&mode)
    try checked("set up", "the terminal") { tcsetattr(STDIN_FILENO, TCSAFLUSH, &mode) }
    let number = Interrupts.shared.onExit { [weak self] in self?.putBack() }
    token.withLock { $0 = number }
  }

  /// Puts the mode back.
  func restore() {
    Interrupts.shared.forget(token.withLock { $0 })
    putBack()
  }

  private func putBack() {
    var mode = saved
    // A terminal that is gone needs no mode.
    _ = tcsetattr(STDIN_FILENO, TCSADRAIN, &mode)
  }
}
