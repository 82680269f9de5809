/// How long to wait before what ended is started again.
public struct RestartDelay: Hashable, Sendable {
  /// The first wait, in milliseconds; each further one is twice as long.
  public var initial: Int
  /// The longest wait, in milliseconds.
  public var maximum: Int
  /// A run of this many milliseconds is a success: the next wait is the first again.
  public var resetAfter: Int

  /// Describes the waits; the defaults are 1 s, 60 s and 10 minutes.
  public init(initial: Int = 1000, maximum: Int = 60_000, resetAfter: Int = 600_000) {
    self.initial = initial
    self.maximum = maximum
    self.resetAfter = resetAfter
  }

  /// The wait before the restart after this many ends in a row, from 1.
  public func wait(afterEnds count: Int) -> Int {
    let doublings = min(max(0, count - 1), 40)
    let (wait, overflow) = initial.multipliedReportingOverflow(by: 1 << doublings)
    return overflow ? maximum : min(wait, maximum)
  }
}
