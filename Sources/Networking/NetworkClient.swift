internal import JSON
internal import Supervision
public import SystemIO

/// A connection to a network's supervisor.
///
/// Every call blocks its thread until the answer or the deadline: to be made from threads of their
/// own, never from Swift's cooperative pool. One call at a time.
public final class NetworkClient {
  private let connection: RPCConnection

  /// Connects to the supervisor of a network.
  ///
  /// - Throws: `SystemError`, `isNotFound` or `isRefused` where none runs; see `connectNetwork`.
  public init(_ directory: NetworkDirectory, host: HostContext) throws(SystemError) {
    connection = try RPCConnection(
      directory.socket, peer: "the network's supervisor", host: host)
  }

  /// The connection itself; where nothing was asked, it is readable once the supervisor has ended.
  public var descriptor: Descriptor { connection.descriptor }

  /// Hears whether the supervisor lives.
  func greet(milliseconds: Int) throws(RPCError) {
    _ = try connection.call("hello", milliseconds: milliseconds, changes: false)
  }

  /// How the network is.
  ///
  /// - Parameter milliseconds: the deadline.
  public func status(milliseconds: Int = 20_000) throws -> NetworkStatus {
    let value = try connection.call("status", milliseconds: milliseconds, changes: false)
    return try NetworkStatus(JSONReader(value))
  }

  /// Puts a configuration that was written in effect; returns when it is.
  public func reload() throws {
    _ = try connection.call("reload", milliseconds: 60_000)
  }

  /// Makes the tap of a port, joined and up; it is gone when its last descriptor is closed.
  ///
  /// - Returns: the tap, and the inode number of the network namespace that it is in: where the
  ///   status shows another later, the network was made anew, and the tap leads nowhere.
  public func tap(_ portID: String) throws -> (descriptor: Descriptor, namespace: UInt64) {
    let answer = try connection.callForDescriptor(
      "tap", ["port": .string(portID)], milliseconds: 30_000)
    guard let inode = answer.result["namespace"]?.string.flatMap({ UInt64($0) }) else {
      throw NetworkError("the network's supervisor does not say where the tap is")
    }
    return (answer.descriptor, inode)
  }

  /// Connects to an address from inside the network.
  ///
  /// - Returns: a non-blocking socket; one of TCP is connected.
  public func dial(
    _ transport: NetworkConfiguration.Transport, _ address: String, _ port: UInt16
  ) throws -> Descriptor {
    try connection.callForDescriptor(
      "dial",
      [
        "transport": .string(transport.rawValue), "address": .string(address),
        "port": .integer(Int64(port)),
      ], milliseconds: 30_000
    ).descriptor
  }

  /// Ends the network and its supervisor; the directory stays.
  public func stop() throws {
    _ = try connection.call("stop", milliseconds: 30_000)
  }
}
