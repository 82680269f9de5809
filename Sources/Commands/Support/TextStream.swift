internal import Glibc
internal import Synchronization
internal import SystemIO

/// Standard output or standard error.
///
/// A reader that goes away ends the printing, never the work: the first write that meets a closed
/// pipe closes the stream, and what follows is dropped.
final class TextStream: Sendable {
  /// Standard output: data.
  static let output = TextStream(STDOUT_FILENO)
  /// Standard error: prose, progress, prompts, diagnostics.
  static let errors = TextStream(STDERR_FILENO)

  /// Whether a person watches.
  let isTerminal: Bool
  private let number: Int32
  private let closed = Mutex(false)

  private init(_ number: Int32) {
    self.number = number
    isTerminal = isatty(number) == 1
  }

  /// Whether the reader went away.
  var isClosed: Bool { closed.withLock { $0 } }

  /// Writes text as it is.
  func write(_ text: String) { write(Array(text.utf8)) }

  /// Writes bytes as they are.
  func write(_ bytes: [UInt8]) {
    closed.withLock { isClosed in
      guard !isClosed else { return }
      isClosed = !bytes.withUnsafeBytes { writeAll($0) }
    }
  }

  /// Writes a line.
  func line(_ text: String = "") { write(text + "\n") }

  /// How many columns the terminal has; nil where there is none.
  var width: Int? {
    guard isTerminal else { return nil }
    var size = winsize()
    guard ioctl(number, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  private func writeAll(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var done = 0
    while done < bytes.count {
      let count = Glibc.write(number, bytes.baseAddress.map { $0 + done }, bytes.count - done)
      if count >= 0 {
        done += count
      } else if errno == EAGAIN {
        // Somebody made the shared terminal non-blocking; wait until it takes more.
        var waited = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
        _ = poll(&waited, 1, -1)
      } else if errno != EINTR {
        return false
      }
    }
    return true
  }
}

/// Whether a person can be asked: both ends of the conversation are a terminal.
func canPrompt() -> Bool { isatty(STDIN_FILENO) == 1 && TextStream.errors.isTerminal }
