internal import Networking
internal import SystemIO

/// Connects to ports of a guest; every call blocks its thread.
struct GuestDial: Sendable {
  /// Gives a socket to a port of an address: connected, or being connected.
  var dial:
    @Sendable (
      _ transport: NetworkConfiguration.Transport, _ address: String, _ port: UInt16
    ) throws -> Descriptor

  /// From inside a network, by its supervisor, which is launched where none runs.
  static func through(
    _ route: GuestRoute, executable: String, host: HostContext
  ) -> GuestDial {
    GuestDial { transport, address, port in
      // A connection of its own for each: one that waits for a guest keeps no other waiting.
      try connectNetwork(
        NetworkDirectory(route.directory), executable: executable, host: host
      ).dial(transport, address, port)
    }
  }

  /// A connection that stands.
  func connection(to address: String, _ port: UInt16) throws -> Descriptor {
    let socket = try dial(.tcp, address, port)
    var entries = [PollEntry(socket.raw, wantsWrite: true)]
    try poll(&entries, milliseconds: 10_000)
    guard entries[0].canWrite else {
      throw Failure("port \(port) of \(address) does not answer", help: "is the guest up?")
    }
    if let error = StreamSocket.pendingError(socket) { throw error }
    return socket
  }
}
