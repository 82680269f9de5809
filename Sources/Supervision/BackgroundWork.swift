internal import Synchronization
public import SystemIO

/// What blocks, done beside an event loop: on a thread of its own, one piece after another.
///
/// Between the end of a piece and the return of what is called then no thread but the loop's runs.
public final class BackgroundWork {
  private struct Piece {
    let work: @Sendable () -> Void
    let done: (SystemError?) -> Void
  }

  /// What a piece came to, on its way from its thread to the loop.
  private final class Outcome<Value: Sendable>: Sendable {
    let value = Mutex<Value?>(nil)
  }

  private let loop: EventLoop
  private var waiting: [Piece] = []
  private var isRunning = false

  /// Makes an empty queue; there is a thread only while there is work.
  public init(_ loop: EventLoop) { self.loop = loop }

  /// Queues a piece of work; `then` is called from the loop with what it came to.
  public func run<Value: Sendable>(
    _ work: @escaping @Sendable () -> Value,
    then: @escaping (Result<Value, SystemError>) -> Void
  ) {
    let outcome = Outcome<Value>()
    waiting.append(
      Piece(
        work: {
          let value = work()
          outcome.value.withLock { $0 = value }
        },
        done: { error in
          if let value = outcome.value.withLock({ $0 }) {
            then(.success(value))
          } else if let error {
            then(.failure(error))
          }
        }))
    startNext()
  }

  private func startNext() {
    guard !isRunning, !waiting.isEmpty else { return }
    isRunning = true
    let piece = waiting.removeFirst()
    do {
      let pipe = try makePipe(name: "the end of work in the background")
      let thread = try WorkerThread { [write = pipe.write, work = piece.work] in
        work()
        // The reader is there until it has read this.
        try? write.write([1])
      }
      loop.watch(pipe.read) { [loop, weak self] _, _ in
        loop.unwatch(pipe.read)
        thread.join()
        self?.finished(piece, nil)
      }
    } catch {
      // Later, so that no caller is called back before its own call returned.
      loop.after(milliseconds: 0) { [weak self] in self?.finished(piece, error) }
    }
  }

  private func finished(_ piece: Piece, _ error: SystemError?) {
    piece.done(error)
    isRunning = false
    startNext()
  }
}
