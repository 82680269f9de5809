/// Why a conversion can't be done; nothing stands under the final name then.
public struct ConversionError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was attempted on what, and what is wrong.
  public let message: String
  /// How to go on.
  public let help: String?

  /// Records a failure.
  public init(_ message: String, help: String? = nil) {
    self.message = message
    self.help = help
  }

  /// The sentence with the way on.
  public var description: String { help.map { "\(message); \($0)" } ?? message }
}

/// A conversion that was told to stop.
public struct ConversionCancelled: Error, Hashable, Sendable, CustomStringConvertible {
  /// The sentence for the user.
  public var description: String { "the conversion was stopped; nothing was left behind" }
}
