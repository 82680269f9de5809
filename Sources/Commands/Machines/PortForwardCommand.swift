internal import ArgumentParser
internal import EngineInterface
internal import Monitor
internal import Networking
internal import QEMU
internal import Resources
internal import SystemIO

struct PortForwardCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "port-forward", abstract: "Lead ports of this host into a guest, for a while.",
    discussion: """
      Until Ctrl-C. Such as: ingot port-forward web1 8080:80 443 :5432 5353:53/udp; a port alone is \
      the same on both sides, and one behind a colon gets any that is free.
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: ArgumentHelp("The machine by name or address.", valueName: "vm"))
  var machine: String
  @Argument(help: ArgumentHelp("Ports as [HOST:]GUEST[/udp].", valueName: "ports"))
  var ports: [PortPair]
  @Option(help: "The host's address that listens.")
  var address = "127.0.0.1"

  func validate() throws {
    guard InternetAddress(address) != nil else {
      throw ValidationError("'\(address)' is no address; write one such as 127.0.0.1 or ::1")
    }
  }

  func run() async throws {
    let session = try EngineSession.open(global)
    let (resource, observed) = try await session.runningMachine(machine)
    let name = resource.resource.id.name
    let forwards = try ports.map(forward)
    let stop = try makePipe(name: "the end of the forwarding")
    try await withTaskCancellationHandler {
      if let route = try GuestRoute.find(to: resource, in: observed) {
        let dial = GuestDial.through(
          route, executable: Programs.network(session.environment), host: session.host)
        let forwarding = PortForwarding(
          machine: name, addresses: route.addresses, forwards: forwards, dial: dial,
          uptime: session.host.uptime, say: { TextStream.errors.line($0) })
        try await blocking { [forwards] in
          try forwarding.run(until: stop.read) { Self.tell(forwards, name) }
        }
      } else {
        let user = try UserForwarding(resource, session, forwards)
        try await blocking { [forwards] in
          try user.run(until: stop.read) { Self.tell(forwards, name) }
        }
      }
    } onCancel: {
      // The reader is there until it has read this.
      try? stop.write.write([1])
    }
  }

  private func forward(_ pair: PortPair) throws -> NetworkConfiguration.Forward {
    NetworkConfiguration.Forward(
      pair.isUDP ? .udp : .tcp, hostAddress: address,
      hostPort: try pair.host ?? freePort(pair.isUDP ? .datagram : .stream),
      guestPort: pair.guest)
  }

  /// A port that is free now; who takes it in the meantime makes the forwarding fail, nothing else.
  private func freePort(_ sort: InternetSocket.Sort) throws -> UInt16 {
    guard let address = InternetAddress(address) else { return 0 }
    let socket = try InternetSocket.listen(sort, at: InternetEndpoint(address, 0))
    return try InternetSocket.localEndpoint(socket).port
  }

  private static func tell(_ forwards: [NetworkConfiguration.Forward], _ machine: String) {
    for forward in forwards {
      let host =
        forward.hostAddress.contains(":") ? "[\(forward.hostAddress)]" : forward.hostAddress
      let suffix = forward.transport == .udp ? "/udp" : ""
      TextStream.output.line(
        "Forwarding \(host):\(forward.hostPort) -> \(machine):\(forward.guestPort)\(suffix)")
    }
  }
}

/// Forwards into a guest that is alone on QEMU's own network, which alone can make them.
struct UserForwarding: Sendable {
  private let machine: String
  private let directory: MachineDirectory
  private let card: String
  private let forwards: [MachineSpec.HostForward]
  private let host: HostContext

  /// Prepares the forwards on the machine's first interface.
  ///
  /// - Throws: `Failure` where it has none, or the host's address is no IPv4 address.
  init(
    _ resource: ObservedResource, _ session: EngineSession,
    _ forwards: [NetworkConfiguration.Forward]
  ) throws {
    machine = resource.resource.id.name
    directory = session.machineDirectory(resource)
    host = session.host
    let cards = try MonitorConfiguration.read(directory).machine.interfaces
    guard let card = cards.first(where: { $0.isConnected && $0.isUserNetwork }) else {
      throw Failure(
        "\(machine) has no interface that a port can lead to",
        help: "give it one on a network of mode nat, isolated or user, with its link up")
    }
    self.card = card.id
    self.forwards = try forwards.map { forward in
      guard InternetAddress(forward.hostAddress)?.isIPv6 == false else {
        throw Failure(
          "a guest on a network of mode user can't be reached at \(forward.hostAddress)",
          help: "pass an IPv4 address of this host")
      }
      return MachineSpec.HostForward(
        transport: forward.transport == .udp ? .udp : .tcp, hostAddress: forward.hostAddress,
        hostPort: forward.hostPort, guestPort: forward.guestPort)
    }
  }

  /// Adds the forwards and removes them once `end` has something to read; blocks its thread.
  func run(until end: Descriptor, whenReady: () -> Void) throws {
    var added: [MachineSpec.HostForward] = []
    defer { remove(added) }
    do {
      let monitor = try MonitorClient(directory, host: host)
      for forward in forwards {
        try monitor.addForward(forward, interface: card)
        added.append(forward)
      }
    } catch {
      throw Failure(
        "a port can't be led into \(machine): \(error)",
        help: "the host's port must be free; from 1024 on where you aren't root")
    }
    whenReady()
    var entries = [PollEntry(end.raw, wantsRead: true)]
    while !entries[0].canRead { try poll(&entries, milliseconds: -1) }
  }

  private func remove(_ added: [MachineSpec.HostForward]) {
    // A guest that has ended has taken its forwards with it.
    guard let monitor = try? MonitorClient(directory, host: host) else { return }
    for forward in added {
      do {
        try monitor.removeForward(forward, interface: card)
      } catch {
        TextStream.errors.line(
          "port \(forward.hostPort) still leads into \(machine), until its guest ends: \(error)")
      }
    }
  }
}

extension MachineSpec.Interface {
  fileprivate var isUserNetwork: Bool {
    if case .user = backend { true } else { false }
  }
}
