/// Something about a network that can't be done.
public struct NetworkError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong, and how to go on.
  public let description: String

  /// Says what is wrong and how to go on.
  public init(_ description: String) { self.description = description }
}
