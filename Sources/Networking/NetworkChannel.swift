internal import JSON
public import Supervision
public import SystemIO

/// A connection to a network's supervisor in an event loop, which never blocks; for threads of
/// their own there is `NetworkClient`.
public final class NetworkChannel {
  /// What a request came to.
  public typealias Completion<Value> = (Result<Value, NetworkError>) -> Void

  /// A tap that is in the bridge and up, and the network namespace it is in.
  public typealias Tap = (descriptor: Descriptor, namespace: UInt64)

  private let channel: RPCChannel

  /// Connects to the supervisor that runs.
  public init(_ loop: EventLoop, _ directory: NetworkDirectory) throws(SystemError) {
    channel = try RPCChannel(loop, directory.socket, peer: "the network's supervisor")
  }

  /// Called once, when the supervisor is gone.
  public var onClose: () -> Void {
    get { channel.onClose }
    set { channel.onClose = newValue }
  }

  /// The inode number of the namespace that taps are made in, once the network is built; 0 in mode
  /// bridge.
  public func namespace(_ completion: @escaping Completion<UInt64>) {
    channel.call("namespace", milliseconds: 60_000) { result in
      completion(
        Self.read(result) { answer throws(JSONShapeError) in try inode(answer) })
    }
  }

  /// Opens a port's tap.
  public func tap(_ port: String, _ completion: @escaping Completion<Tap>) {
    channel.call("tap", ["port": .string(port)], milliseconds: 30_000) { result in
      completion(
        Self.read(result) { answer throws(JSONShapeError) in
          let namespace = try inode(answer)
          return (try descriptor(answer), namespace)
        })
    }
  }

  /// Connects to a port of the network by TCP.
  ///
  /// - Parameter milliseconds: how long to wait for it.
  public func dial(
    _ address: String, _ port: UInt16, milliseconds: Int,
    _ completion: @escaping Completion<Descriptor>
  ) {
    channel.call(
      "dial",
      [
        "transport": "tcp", "address": .string(address), "port": .integer(Int64(port)),
      ], milliseconds: milliseconds
    ) { result in
      completion(Self.read(result) { answer throws(JSONShapeError) in try descriptor(answer) })
    }
  }

  /// Ends the connection without calling `onClose`; what waits fails.
  public func close() { channel.close() }

  private static func read<Value>(
    _ result: Result<RPCChannel.Answer, RPCError>,
    _ value: (RPCChannel.Answer) throws(JSONShapeError) -> Value
  ) -> Result<Value, NetworkError> {
    switch result {
    case .failure(let error): return .failure(NetworkError(error.description))
    case .success(let answer):
      do throws(JSONShapeError) {
        return .success(try value(answer))
      } catch {
        return .failure(
          NetworkError("the answer of the network's supervisor makes no sense: \(error)"))
      }
    }
  }
}

private func descriptor(_ answer: RPCChannel.Answer) throws(JSONShapeError) -> Descriptor {
  guard let descriptor = answer.descriptor else {
    throw JSONShapeError(path: "descriptor", expected: "passed with the answer")
  }
  return descriptor
}

private func inode(_ answer: RPCChannel.Answer) throws(JSONShapeError) -> UInt64 {
  guard let inode = UInt64(try JSONReader(answer.result).member("namespace").string()) else {
    throw JSONShapeError(path: "namespace", expected: "an inode number")
  }
  return inode
}
