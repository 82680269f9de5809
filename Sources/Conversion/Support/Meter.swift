internal import EngineInterface
internal import Glibc
internal import SystemIO

/// Follows the reading of a source: tells how far it is, holds it to a rate, and ends it where the
/// work is to stop.
///
/// Belongs to the one thread that takes what was read.
final class Meter {
  private let cancellation: Cancellation
  private let uptime: @Sendable () -> UInt64
  private let rate: Int?
  private let start: UInt64
  private let report: (Int) -> Void
  private var reported = 0
  /// Bytes read so far.
  private(set) var done = 0

  /// - Parameters:
  ///   - rate: bytes a second at most; nil for no limit.
  ///   - report: is told of the bytes done, once in a few MiB.
  init(
    _ cancellation: Cancellation, uptime: @escaping @Sendable () -> UInt64, rate: Int?,
    report: @escaping (Int) -> Void
  ) {
    self.cancellation = cancellation
    self.uptime = uptime
    self.rate = rate
    self.report = report
    start = uptime()
  }

  /// Notes that so many bytes were read in all, and waits while that is ahead of the rate.
  func reach(_ bytes: Int) throws {
    done = bytes
    try cancellation.check()
    if done - reported >= 8 << 20 {
      reported = done
      report(done)
    }
    guard let rate else { return }
    let due = start + UInt64(Double(done) / Double(rate) * 1e9)
    while case let now = uptime(), now < due {
      // Short naps, so that a cancellation is heard.
      usleep(UInt32(min((due - now) / 1000 + 1, 100_000)))
      try cancellation.check()
    }
  }

  /// Notes that so many bytes more were read.
  func add(_ bytes: Int) throws { try reach(done + bytes) }
}
