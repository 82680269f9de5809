internal import JSON
internal import QEMU
internal import Supervision

extension Result where Success == JSONValue, Failure == QMPError {
  /// The same, as the RPC answers it.
  var forRPC: Result<JSONValue, RPCError> { mapError { RPCError($0.description) } }
}
