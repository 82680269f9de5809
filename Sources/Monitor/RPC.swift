internal import JSON
internal import QEMU

/// Why a request to a monitor was not carried out.
public struct RPCError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The reason, for people.
  public let description: String

  /// Gives the reason.
  public init(_ description: String) { self.description = description }
}

extension Result where Success == JSONValue, Failure == QMPError {
  /// The same, as the RPC answers it.
  var forRPC: Result<JSONValue, RPCError> { mapError { RPCError($0.description) } }
}
