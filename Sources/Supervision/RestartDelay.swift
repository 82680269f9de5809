/// How long to wait before what ended is started again.
public struct RestartDelay: Hashable, Sendable {
  /// The first wait, in milliseconds; each further one is twice as long.
  public var initial: Int
  /// The longest wait, in milliseconds.
  public var maximum: Int
  /// A run of this many milliseconds is a success: the next wait is the first again.
  public var resetAfter: Int
  /// So is one that was known to be up for this many milliseconds, however short it was.
  public var resetAfterUp: Int

  /// Describes the waits; the defaults are 0.1 s and 60 s, 10 minutes of running and 10 s of being up.
  public init(
    initial: Int = 100, maximum: Int = 60_000, resetAfter: Int = 600_000, resetAfterUp: Int = 10_000
  ) {
    self.initial = initial
    self.maximum = maximum
    self.resetAfter = resetAfter
    self.resetAfterUp = resetAfterUp
  }

  /// Whether a run counts as a success.
  ///
  /// - Parameters:
  ///   - ran: how long it lasted, in milliseconds.
  ///   - up: how long it was known to be up, in milliseconds; nil where it never was.
  public func isReset(ran: Int, up: Int?) -> Bool {
    ran >= resetAfter || up.map { $0 >= resetAfterUp } == true
  }

  /// The wait before the restart after this many ends in a row, from 1.
  public func wait(afterEnds count: Int) -> Int {
    let doublings = min(max(0, count - 1), 40)
    let (wait, overflow) = initial.multipliedReportingOverflow(by: 1 << doublings)
    return overflow ? maximum : min(wait, maximum)
  }
}
