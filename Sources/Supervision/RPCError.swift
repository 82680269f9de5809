/// Why a request to a service was not carried out.
public struct RPCError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The reason, for people.
  public let description: String
  /// Whether the service ended instead of answering; it may have done what was asked.
  public let isGone: Bool

  /// Gives the reason.
  public init(_ description: String, isGone: Bool = false) {
    self.description = description
    self.isGone = isGone
  }
}
