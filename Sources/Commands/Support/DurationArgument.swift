internal import ArgumentParser
internal import Resources

/// A duration on the command line: `90s`, `3m`, `1h30m`.
struct DurationArgument: ExpressibleByArgument, Hashable {
  /// In seconds; not negative.
  var seconds: Int

  /// Makes one of seconds.
  init(seconds: Int) { self.seconds = seconds }

  /// Reads one; a bare number is seconds.
  init?(argument: String) {
    if let seconds = Int(argument), seconds >= 0 {
      self.seconds = seconds
      return
    }
    // The parser's own message says which argument; the reason would say nothing more.
    guard let seconds = try? Quantity.seconds(argument), let whole = Int(exactly: seconds) else {
      return nil
    }
    self.seconds = whole
  }

  /// The same as a stretch of time.
  var duration: Duration { .seconds(seconds) }

  /// As people write it.
  var defaultValueDescription: String { Quantity.text(seconds: Int64(seconds)) }
}
