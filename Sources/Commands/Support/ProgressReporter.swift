internal import JSON
internal import Synchronization

/// Shows a board of work on standard error: redrawn in place on a terminal, as lines in a pipe, as
/// JSON lines where asked.
final class ProgressReporter: Sendable {
  private enum Mode { case live, plain, json, silent }

  private struct State {
    var board: ProgressBoard
    var drawn = 0
  }

  private let mode: Mode
  private let stream = TextStream.errors
  private let clock: @Sendable () -> UInt64
  private let state: Mutex<State>
  private let ticker = Mutex<Task<Void, Never>?>(nil)

  /// Begins to show; `finish` must be called.
  ///
  /// - Parameter clock: nanoseconds on a steady clock.
  init(_ choice: ProgressChoice, style: Style, clock: @escaping @Sendable () -> UInt64) {
    mode =
      switch choice {
      case .auto: TextStream.errors.isTerminal ? .live : .plain
      case .plain: .plain
      case .json: .json
      case .none: .silent
      }
    self.clock = clock
    state = Mutex(State(board: ProgressBoard(style: style)))
    Interrupts.shared.setWork(
      Interrupts.WorkUnderWay(
        leftovers: { [weak self] in self?.state.withLock { $0.board.leftovers } ?? [] },
        say: { [weak self] in self?.say($0) }))
    guard mode == .live || mode == .plain else { return }
    let period = mode == .live ? 100 : 500
    let task = Task { [weak self] in
      // A cancelled sleep means that there is nothing more to draw.
      while (try? await Task.sleep(for: .milliseconds(period))) != nil {
        guard let self else { return }
        self.refresh()
      }
    }
    ticker.withLock { $0 = task }
  }

  /// Takes an event on a piece of work.
  func report(_ event: WorkEvent, _ subject: String, _ verb: String) {
    state.withLock { state in
      switch mode {
      case .silent:
        _ = state.board.take(event, subject, verb, now: clock(), isLive: true)
      case .json:
        _ = state.board.take(event, subject, verb, now: clock(), isLive: true)
        stream.line(event.json(subject, verb).text())
      case .live, .plain:
        let isLive = mode == .live
        let lines = state.board.take(event, subject, verb, now: clock(), isLive: isLive)
        if !lines.isEmpty { show(lines, &state) }
      }
    }
  }

  /// Writes a line that stays.
  func say(_ line: String) {
    guard mode == .live || mode == .plain else { return }
    state.withLock { show([line], &$0) }
  }

  /// Ends the showing; what was drawn is cleared away.
  func finish() {
    ticker.withLock { $0?.cancel() }
    state.withLock { state in
      if state.drawn > 0 { stream.write(Self.erase(state.drawn)) }
      state.drawn = 0
    }
    Interrupts.shared.setWork(nil)
  }

  private func refresh() {
    state.withLock { state in
      let lines = mode == .plain ? state.board.due(now: clock()) : []
      if mode == .live || !lines.isEmpty { show(lines, &state) }
    }
  }

  private func show(_ lines: [String], _ state: inout State) {
    var text = mode == .live && state.drawn > 0 ? Self.erase(state.drawn) : ""
    for line in lines { text += line + "\n" }
    if mode == .live {
      let drawing = state.board.drawing(now: clock(), width: stream.width ?? 80)
      for line in drawing { text += line + "\n" }
      state.drawn = drawing.count
    }
    if !text.isEmpty { stream.write(text) }
  }

  /// Moves up and clears to the end of the screen (ECMA-48 CUU, ED).
  private static func erase(_ lines: Int) -> String { "\r\u{1b}[\(lines)A\u{1b}[J" }
}
