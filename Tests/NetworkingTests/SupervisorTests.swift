import Foundation
import NetworkService
import Networking
import Synchronization
import SystemIO
import TestSupport
import Testing

@Suite("A network's supervisor", .serialized)
struct SupervisorTests {
  private static let gateway: [UInt8] = [10, 77, 0, 1]

  private static func network(
    _ mode: NetworkConfiguration.Mode = .nat, machines: Int = 1
  ) -> NetworkConfiguration {
    NetworkConfiguration(
      name: "lab", mode: mode, uplink: mode == .nat ? .userMode : .none,
      segment: NetworkConfiguration.Segment(network: "10.77.0.0/24", gateway: "10.77.0.1"),
      segment6: NetworkConfiguration.Segment(network: "fd00:77::/64", gateway: "fd00:77::1"),
      domain: "lab.internal", mtu: 9000, ports: (1...machines).map(port))
  }

  private static func port(_ number: Int) -> NetworkConfiguration.Port {
    NetworkConfiguration.Port(
      id: "m\(number)/lan", mac: "52:54:00:00:00:0\(number)", address: "10.77.0.1\(number)",
      address6: "fd00:77::1\(number)", hostName: "m\(number)")
  }

  /// An address for the host that is not of 127.0.0.0/8, and no other run's of these tests.
  private static func outside(_ number: Int) -> String {
    "198.18.\(getpid() % 64 * 4 + Int32(number)).1"
  }

  private func plug(
    _ client: NetworkClient, _ number: Int
  ) throws -> (guest: FrameGuest, namespace: UInt64) {
    let port = Self.port(number)
    let tap = try client.tap(port.id)
    return (FrameGuest(tap.descriptor, mac: port.mac), tap.namespace)
  }

  @Test("A guest gets the address reserved for it", arguments: TestNetwork.User.allCases)
  func address(_ user: TestNetwork.User) throws {
    let network = try TestNetwork(user, Self.network())
    let client = try network.connect()
    let (guest, namespace) = try plug(client, 1)
    let lease = try #require(try guest.configure())
    #expect(lease.address == [10, 77, 0, 11])
    #expect(lease.options[3] == Self.gateway)
    #expect(lease.options[6] == Self.gateway)
    #expect(lease.options[26] == [0x23, 0x28])
    let bridge = network.configuration.bridgeMAC.split(separator: ":").map { UInt8($0, radix: 16) }
    #expect(try guest.resolve(Self.gateway)?.map(Optional.some) == bridge)

    let status = try client.status()
    #expect(status.state == .up)
    #expect(status.problem == "")
    #expect(status.namespace == namespace)
    #expect(status.processes.map(\.name) == ["gate", "names", "uplink"])
    #expect(status.processes.allSatisfy { $0.pid != nil && $0.restarts == 0 })
    #expect(status.leases.map(\.address) == ["10.77.0.11"])
    #expect(status.leases.map(\.mac) == ["52:54:00:00:00:01"])
    let port = try #require(status.ports.first)
    #expect(port.isPlugged)
    #expect(port.sentPackets > 2 && port.sentBytes > 600)
    #expect(port.receivedPackets >= 2)
    try client.stop()
  }

  @Test("A connection from outside reaches a guest", arguments: TestNetwork.User.allCases)
  func dial(_ user: TestNetwork.User) throws {
    let network = try TestNetwork(user, Self.network(.isolated))
    let client = try network.connect()
    let (guest, _) = try plug(client, 1)
    _ = try #require(try guest.configure())
    let end = try makePipe(name: "the end")
    let directory = network.directory
    let thread = try WorkerThread {
      // Told through the socket that stands, or not.
      guard let client = try? NetworkClient(directory, host: TestNetwork.host),
        let socket = try? client.dial(.tcp, "10.77.0.11", 80)
      else { return }
      try? end.write.write([StreamSocket.pendingError(socket) == nil ? 1 : 0])
    }
    #expect(try guest.accept(port: 80, milliseconds: 5000))
    thread.join()
    var entries = [PollEntry(end.read.raw, wantsRead: true)]
    try poll(&entries, milliseconds: 1000)
    #expect(entries[0].canRead)
    // Nobody there.
    let error = #expect(throws: (any Error).self) { try client.dial(.tcp, "10.77.0.99", 80) }
    #expect("\(error.map { "\($0)" } ?? "")".contains("10.77.0.99:80"))
    try client.stop()
  }

  @Test("A port of the host leads to a guest, also after the supervisor's death")
  func forwards() throws {
    var configuration = Self.network(.isolated)
    // Of the range that no program is given a port of by itself.
    let port = UInt16(20_000 + getpid() % 10_000)
    configuration.ports[0].forwards = [
      NetworkConfiguration.Forward(.tcp, hostAddress: "127.0.0.1", hostPort: port, guestPort: 80)
    ]
    let network = try TestNetwork(.root, configuration)
    let client = try network.connect()
    let (guest, _) = try plug(client, 1)
    _ = try #require(try guest.configure())
    let loopback = try #require(InternetAddress("127.0.0.1"))
    let first = try InternetSocket.connect(.stream, to: loopback, port: port)
    #expect(try guest.accept(port: 80, milliseconds: 5000))
    #expect(kill(try #require(try network.supervisor()), SIGKILL) == 0)
    let again = try network.connect()
    #expect(try again.status().forwardProblems == [])
    let second = try InternetSocket.connect(.stream, to: loopback, port: port)
    #expect(try guest.accept(port: 80, milliseconds: 5000))
    withExtendedLifetime((first, second)) {}
    try again.stop()
  }

  @Test("Root's network goes out through the host's routing, and what that takes goes with it")
  func pair() throws {
    let text = Self.outside(0)
    try Tool.check("ip", ["addr", "add", text + "/32", "dev", "lo"])
    defer { _ = try? Tool.run("ip", ["addr", "del", text + "/32", "dev", "lo"]) }
    let outside = try #require(InternetAddress(text))
    let listener = try InternetSocket.listen(.stream, at: InternetEndpoint(outside, 0))
    let port = try InternetSocket.localEndpoint(listener).port
    var configuration = Self.network()
    configuration.uplink = .veth(
      host: "100.64.\(getpid() % 256).1", guest: "100.64.\(getpid() % 256).2")
    let network = try TestNetwork(.root, configuration)
    let client = try network.connect()
    let (guest, _) = try plug(client, 1)
    _ = try #require(try guest.configure())
    func connects() throws -> Bool {
      try guest.connect(
        to: outside.bytes, port: port, router: Self.gateway, milliseconds: 2000)
    }
    #expect(try connects())
    #expect(try client.status().processes.map(\.name) == ["gate", "names"])
    let uplink = try #require(
      RootUplink(configuration, directory: network.directory, hostForwardsIPv6: false))
    // What is right is left alone.
    let link = try Tool.check("ip", ["-o", "link", "show", uplink.hostInterface])
    try client.reload()
    #expect(kill(try #require(try network.supervisor()), SIGKILL) == 0)
    let again = try network.connect()
    #expect(try Tool.check("ip", ["-o", "link", "show", uplink.hostInterface]) == link)
    #expect(try connects())
    try again.stop()
    #expect(try Tool.run("ip", ["link", "show", uplink.hostInterface]).status != 0)
    #expect(try !Tool.check("nft", ["list", "tables"]).contains(uplink.table))
    withExtendedLifetime(listener) {}
  }

  @Test("What a guest may receive is limited, from its start and by a reload")
  func limits() throws {
    var configuration = Self.network(.isolated)
    configuration.ports[0].inbound = 1_000_000
    let network = try TestNetwork(.root, configuration)
    let client = try network.connect()
    let tap = try client.tap("m1/lan")
    func discipline() throws -> String {
      let gate = try #require(try network.pid("gate"))
      let arguments = ["--net=/proc/\(gate)/ns/net", "tc", "qdisc", "show", "dev"]
      return try Tool.check("nsenter", arguments + [configuration.ports[0].tap])
    }
    #expect(try discipline().contains("tbf"))
    #expect(try discipline().contains("rate 8Mbit"))
    network.configuration.ports[0].inbound = nil
    try network.write()
    try client.reload()
    #expect(try !discipline().contains("tbf"))
    try client.stop()
    withExtendedLifetime(tap) {}
  }

  @Test(
    "A guest gets out, again soon after the uplink's death, and not to the host's own loopback",
    arguments: TestNetwork.User.allCases)
  func outside(_ user: TestNetwork.User) throws {
    // An address of the host that is not in 127.0.0.0/8.
    let text = Self.outside(user == .root ? 1 : 2)
    try Tool.check("ip", ["addr", "add", text + "/32", "dev", "lo"])
    defer { _ = try? Tool.run("ip", ["addr", "del", text + "/32", "dev", "lo"]) }
    let outside = try #require(InternetAddress(text))
    let everywhere = try #require(InternetAddress("0.0.0.0"))
    let listener = try InternetSocket.listen(.stream, at: InternetEndpoint(everywhere, 0))
    let port = try InternetSocket.localEndpoint(listener).port
    let network = try TestNetwork(user, Self.network())
    let client = try network.connect()
    let (guest, _) = try plug(client, 1)
    _ = try #require(try guest.configure())
    func connects(_ target: [UInt8], _ milliseconds: Int) throws -> Bool {
      try guest.connect(
        to: target, port: port, router: Self.gateway, milliseconds: milliseconds)
    }
    #expect(try connects(outside.bytes, 5000))
    #expect(try !connects([10, 0, 2, 2], 300))
    #expect(kill(try #require(try network.pid("uplink")), SIGKILL) == 0)
    try network.eventually("the way out") { try connects(outside.bytes, 500) }
    try client.stop()
    withExtendedLifetime(listener) {}
  }

  @Test(
    "Each process is replaced within seconds after its death, and guests notice nothing",
    arguments: TestNetwork.User.allCases)
  func deaths(_ user: TestNetwork.User) throws {
    let network = try TestNetwork(user, Self.network(machines: 2))
    let client = try network.connect()
    let (guest, namespace) = try plug(client, 1)
    _ = try #require(try guest.configure())

    for name in ["gate", "names", "uplink"] {
      let pid = try #require(try network.pid(name))
      #expect(kill(pid, SIGKILL) == 0)
      #expect(try guest.resolve(Self.gateway) != nil)
      try network.eventually("another \(name)") {
        let now = try network.pid(name)
        return now != nil && now != pid
      }
    }
    #expect(try guest.configure() != nil)
    let other = try plug(client, 2)
    #expect(other.namespace == namespace)
    #expect(try other.guest.configure()?.address == [10, 77, 0, 12])

    let before = try client.status()
    let supervisor = try #require(try network.supervisor())
    #expect(kill(supervisor, SIGKILL) == 0)
    #expect(try guest.resolve(Self.gateway) != nil)
    let again = try network.connect()
    let status = try again.status()
    #expect(try network.supervisor() != supervisor)
    #expect(status.processes.map(\.pid) == before.processes.map(\.pid))
    #expect(status.namespace == namespace)
    #expect(status.ports.map(\.isPlugged) == [true, true])
    #expect(try guest.configure() != nil)
    try again.stop()
  }

  @Test("Where all processes died a new namespace is made, and the status tells")
  func lost() throws {
    let network = try TestNetwork(.root, Self.network())
    let before = try network.connect().status()
    let supervisor = try #require(try network.supervisor())
    for pid in [supervisor] + before.processes.compactMap(\.pid) {
      #expect(kill(pid, SIGKILL) == 0)
    }
    let client = try network.connect()
    let status = try client.status()
    #expect(status.state == .up)
    #expect(status.processes.allSatisfy { $0.pid != nil })
    let (guest, namespace) = try plug(client, 1)
    #expect(namespace == status.namespace)
    #expect(try guest.configure() != nil)
    try client.stop()
  }

  /// How many processes a network has, by where they write.
  private func count(_ network: TestNetwork) throws -> [String: Int] {
    // The kernel's own form of the path.
    let resolved = try #require(realpath(network.directory.path, nil))
    defer { free(resolved) }
    let directory = String(cString: resolved) + "/"
    var counts: [String: Int] = [:]
    for name in try namesInDirectory("/proc") where Int32(name) != nil {
      // Processes come and go while the list is read.
      let open = (try? namesInDirectory("/proc/\(name)/fd")) ?? []
      let paths = open.compactMap { number in
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(name)/fd/\(number)")
      }
      for path in Set(paths) where path.hasPrefix(directory) && path.hasSuffix("log") {
        counts[String(path.dropFirst(directory.count)), default: 0] += 1
      }
    }
    return counts
  }

  @Test("A supervisor killed at any moment of its start leaves nothing that the next does not take")
  func killedStarts() throws {
    let network = try TestNetwork(.root, Self.network())
    for step in 0..<16 {
      let pid = try SpawnRequest(
        network.executable, ["serve", network.directory.path], directory: "/"
      ).spawn()
      usleep(UInt32(step) * 12_000)
      #expect(kill(pid, SIGKILL) == 0)
      var status: Int32 = 0
      #expect(waitpid(pid, &status, 0) == pid)
    }
    let client = try network.connect()
    #expect(try client.status().state == .up)
    let counts = try count(network)
    #expect(counts == ["log": 1, "gate.log": 1, "names.log": 1, "uplink.log": 1])
    let (guest, _) = try plug(client, 1)
    #expect(try guest.configure() != nil)
    try client.stop()
    try network.eventually("the supervisor's end") { try network.supervisor() == nil }
    #expect(try count(network) == [:])
  }

  @Test("Of many who connect at once one launches the supervisor, and all reach it")
  func together() throws {
    let network = try TestNetwork(.root, Self.network(.isolated))
    let results = try makePipe(name: "results")
    let (directory, executable) = (network.directory, network.executable)
    let threads = try (0..<8).map { _ in
      try WorkerThread {
        // What fails is missing from the pipe.
        guard
          let client = try? connectNetwork(
            directory, executable: executable, host: TestNetwork.host),
          (try? client.status().state) == .up
        else { return }
        try? results.write.write([1])
      }
    }
    for thread in threads { thread.join() }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 16, alignment: 1)
    defer { buffer.deallocate() }
    #expect(try results.read.read(into: buffer) == 8)
    let counts = try count(network)
    #expect(counts == ["log": 1, "gate.log": 1, "names.log": 1])
    try network.connect().stop()
  }

  @Test("A reload adds a port and disturbs no other")
  func reload() throws {
    let network = try TestNetwork(.root, Self.network())
    let client = try network.connect()
    let (guest, _) = try plug(client, 1)
    _ = try #require(try guest.configure())
    let before = try client.status()
    #expect(throws: (any Error).self) { try client.tap("m2/lan") }

    network.configuration.ports.append(Self.port(2))
    try network.write()
    try client.reload()
    #expect(try client.status().processes == before.processes)
    let other = try plug(client, 2).guest
    #expect(try other.configure()?.address == [10, 77, 0, 12])
    #expect(try guest.resolve([10, 77, 0, 12], milliseconds: 100) == nil)  // It does not listen.
    #expect(try guest.resolve(Self.gateway) != nil)

    // A configuration that makes no sense leaves the one before in effect.
    try replaceFile(network.directory.configuration, with: Array("{}".utf8))
    #expect(throws: (any Error).self) { try client.reload() }
    #expect(try guest.resolve(Self.gateway) != nil)
    network.configuration.ports.removeFirst()
    try network.write()
    try client.reload()
    #expect(try client.status().ports.map(\.id) == ["m2/lan"])
    #expect(try other.resolve(Self.gateway) != nil)
    try client.stop()
  }

  @Test("Stop leaves nothing behind", arguments: TestNetwork.User.allCases)
  func stop(_ user: TestNetwork.User) throws {
    let network = try TestNetwork(user, Self.network())
    let client = try network.connect()
    let tap = try client.tap("m1/lan")
    let status = try client.status()
    try client.stop()
    for process in status.processes {
      #expect(try kill(#require(process.pid), 0) == -1, "\(process.name)")
    }
    try network.eventually("the supervisor's end") { try network.supervisor() == nil }
    #expect(try network.processes(in: status.namespace) == [])
    for path in [
      network.directory.socket, network.directory.gate, network.directory.gateProcess,
      network.directory.namesProcess, network.directory.uplinkProcess,
    ] {
      #expect(!fileExists(path), "\(path)")
    }
    #expect(try !FileLock.isHeld(network.directory.lock))
    withExtendedLifetime(tap) {}
    // And it can be had again.
    #expect(try network.connect().status().state == .up)
    try network.connect().stop()
  }

  @Test("Told to stop while it stops, it tells both when all is gone")
  func stopTwice() throws {
    let network = try TestNetwork(.root, Self.network())
    let status = try network.connect().status()
    let directory = network.directory
    let connected = Atomic(0)
    let outcomes = Mutex<[String]>([])
    let threads = try (0..<2).map { _ in
      try WorkerThread {
        do {
          let client = try NetworkClient(directory, host: TestNetwork.host)
          connected.add(1, ordering: .relaxed)
          while connected.load(ordering: .relaxed) < 2 { usleep(1000) }
          try client.stop()
          outcomes.withLock { $0.append("stopped") }
        } catch {
          outcomes.withLock { $0.append("\(error)") }
          connected.add(1, ordering: .relaxed)
        }
      }
    }
    for thread in threads { thread.join() }
    #expect(outcomes.withLock { $0 } == ["stopped", "stopped"])
    #expect(try network.processes(in: status.namespace) == [])
  }

  @Test("A host's bridge gets the taps and keeps all else")
  func bridge() throws {
    let name = "ing-test-\(getpid() % 10_000)"
    try Tool.check("ip", ["link", "add", name, "type", "bridge"])
    defer { _ = try? Tool.run("ip", ["link", "del", name]) }
    try Tool.check("ip", ["link", "set", name, "up"])
    var port = Self.port(1)
    port.address = nil
    port.address6 = nil
    let network = try TestNetwork(
      .root, NetworkConfiguration(name: "lan", mode: .bridge, bridge: name, ports: [port]))
    let client = try network.connect()
    let tap = try client.tap(port.id)
    let ports = try Tool.check("ip", ["link", "show", "master", name])
    #expect(ports.contains(port.tap) && ports.contains("UP"))
    #expect(try client.status().ports.map(\.isPlugged) == [true])
    try client.stop()
    #expect(try Tool.run("ip", ["link", "show", port.tap]).status != 0)
    #expect(try Tool.run("ip", ["link", "show", name]).status == 0)
    let rules = try PacketRules(
      network.configuration, directory: network.directory, tracking: .internet)
    #expect(try !Tool.check("nft", ["list", "tables"]).contains(rules.table))
    withExtendedLifetime(tap) {}
  }

  @Test("What keeps a network from being built is told, and nothing is left")
  func failure() throws {
    let network = try TestNetwork(
      .root, NetworkConfiguration(name: "lan", mode: .bridge, bridge: "ing-nowhere"))
    let error = #expect(throws: NetworkError.self) { try network.connect() }
    #expect(error?.description.contains("no bridge 'ing-nowhere'") == true)
    try network.eventually("the supervisor's end") { try network.supervisor() == nil }
    #expect(!fileExists(network.directory.gateProcess))
  }
}
