internal import JSON
internal import QEMU

/// Why a request to a monitor was not carried out.
public struct RPCError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The reason, for people.
  public let description: String
  /// Whether the monitor ended instead of answering; it may have done what was asked.
  public let isGone: Bool

  /// Gives the reason.
  public init(_ description: String, isGone: Bool = false) {
    self.description = description
    self.isGone = isGone
  }
}

extension Result where Success == JSONValue, Failure == QMPError {
  /// The same, as the RPC answers it.
  var forRPC: Result<JSONValue, RPCError> { mapError { RPCError($0.description) } }
}
