internal import ArgumentParser
internal import EngineInterface
internal import Glibc
internal import Networking
internal import Resources
internal import SystemIO

/// For programs that reach guests by a command of ours, such as ssh by its `ProxyCommand`.
struct ConnectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "connect", abstract: "Connect standard input and output to a port of a guest.",
    discussion: """
      For a guest on a network of mode nat, isolated or bridge. With --pass-descriptor the \
      connection itself is handed over standard output, as ssh's ProxyUseFdpass wants it.
      """, shouldDisplay: false)

  @OptionGroup var global: GlobalOptions
  @Argument(help: ArgumentHelp("The machine by name or address.", valueName: "vm"))
  var machine: String
  @Argument(help: "The guest's TCP port.")
  var port: UInt16
  @Flag(help: "Hand the connection over instead of passing its bytes on.")
  var passDescriptor = false

  func run() async throws {
    let session = try EngineSession.open(global)
    let (resource, observed) = try await session.runningMachine(machine)
    let name = resource.resource.id.name
    guard let route = try GuestRoute.find(to: resource, in: observed) else {
      throw Failure(
        "\(name) is on no network that this host can reach into",
        help: "plug it into a network of mode nat or isolated, or add `ports` to its interface")
    }
    let dial = GuestDial.through(
      route, executable: Programs.network(session.environment), host: session.host)
    try await blocking { [port, passDescriptor] in
      let socket = try dial.connection(to: route.addresses[0], port)
      if passDescriptor {
        try Self.pass(socket)
      } else {
        try StandardStreams.join(socket)
      }
    }
  }

  /// Hands a descriptor to whoever holds the other end of standard output.
  private static func pass(_ socket: Descriptor) throws {
    let raw = try checked("use", "standard output") { dup(STDOUT_FILENO) }
    let output = Descriptor(owning: raw, name: "standard output")
    // The byte carries the descriptor; ssh reads exactly one.
    while try PassedDescriptor.send(socket, with: [0], on: output) == 0 {
      var entries = [PollEntry(raw, wantsWrite: true)]
      try poll(&entries, milliseconds: -1)
    }
  }
}

/// A connection joined to standard input and output.
enum StandardStreams {
  /// Passes bytes on both ways until the other end has sent all it had; blocks its thread.
  static func join(_ socket: Descriptor) throws {
    try WorkerThread {
      do {
        try sendInput(on: socket)
      } catch {
        // The other end is gone, which the other direction meets too.
        return
      }
    }.detach()
    while true {
      guard let bytes = try StreamSocket.receive(from: socket) else {
        var entries = [PollEntry(socket.raw, wantsRead: true)]
        try poll(&entries, milliseconds: -1)
        continue
      }
      if bytes.isEmpty || TextStream.output.isClosed { return }
      TextStream.output.write(bytes)
    }
  }

  private static func sendInput(on socket: Descriptor) throws(SystemError) {
    let input = try standardInput()
    let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 14, alignment: 16)
    defer { chunk.deallocate() }
    while true {
      let count = try input.read(into: chunk)
      if count == 0 { return try InternetSocket.endSending(socket) }
      var rest = Array(chunk[..<count])[...]
      while !rest.isEmpty {
        let sent = try StreamSocket.send(rest, on: socket)
        rest = rest.dropFirst(sent)
        guard sent == 0 else { continue }
        var entries = [PollEntry(socket.raw, wantsWrite: true)]
        try poll(&entries, milliseconds: -1)
      }
    }
  }
}
