import NetworkService
import Networking
import SystemIO
import TestSupport
import Testing

@Suite("A network's addresses and names", .serialized)
struct NameServiceTests {
  static func network(_ mode: NetworkConfiguration.Mode) -> NetworkConfiguration {
    var network = PacketTests.network(mode)
    network.domain = "lab.internal"
    network.mtu = 1400
    network.hosts = [
      NetworkConfiguration.HostRecord(name: "printer", addresses: ["10.77.0.200", "fd00:77::200"]),
      NetworkConfiguration.HostRecord(name: "git.example.org", addresses: ["10.77.0.201"]),
    ]
    return network
  }

  @Test("dnsmasq takes every configuration")
  func accepted() throws {
    let scratch = try Scratch()
    var only6 = Self.network(.nat)
    only6.segment = nil
    only6.ports = []
    only6.forwarders = ["9.9.9.9", "2620:fe::fe"]
    let wide = NetworkConfiguration(
      name: "wide", mode: .isolated,
      segment: NetworkConfiguration.Segment(network: "10.64.0.0/12", gateway: "10.64.0.1"))
    try makeDirectories(scratch.file("a \"b\" #c,d"))
    for network in [Self.network(.nat), Self.network(.isolated), only6, wide] {
      let service = try NameService(
        network, directory: NetworkDirectory(scratch.file("a \"b\" #c,d")),
        hostResolvers: ["192.0.2.1"])
      try service.write()
      try Tool.check("dnsmasq", ["--test"] + service.arguments)
    }
  }

  @Test("The host's resolvers are those that a network can reach")
  func resolvers() {
    let text = "# x\nnameserver 127.0.0.53\nnameserver\t192.0.2.1\nnameserver fe80::1%eth0\n"
    #expect(NameService.hostResolvers(text + "search a b\nnameserver ::1\n") == ["192.0.2.1"])
  }

  /// Begins a rig with the network's gateway, dnsmasq on it, and its machines.
  static func rig(
    _ service: NameService, _ network: NetworkConfiguration, _ user: Rig.User
  ) throws -> Rig {
    var rig = try Rig(user)
    try rig.bridge(
      network,
      rules: PacketRules(network, directory: NetworkDirectory("/n"), tracking: .internet))
    rig.add("daemon dnsmasq \(service.arguments.joined(separator: " "))")
    return rig
  }

  @Test("Names and addresses are answered, and what is reserved later without a restart")
  func answers() throws {
    let scratch = try Scratch()
    let directory = NetworkDirectory(scratch.path)
    var network = Self.network(.isolated)
    let service = try NameService(network, directory: directory)
    #expect(try service.change() == .restart)
    try service.write()
    #expect(try service.change() == .none)
    var rig = try Self.rig(service, network, .strongest)
    for port in network.ports[..<2] { rig.guest(port.hostName, port) }
    rig.add(
      """
      says a 10.77.0.10 dig +short @10.77.0.1 a.lab.internal
      says a 10.77.0.11 dig +short @10.77.0.1 b
      says a fd00:77::11 dig +short @fd00:77::1 b.lab.internal AAAA
      says a b.lab.internal. dig +short @10.77.0.1 -x 10.77.0.11
      says a b.lab.internal. dig +short @10.77.0.1 -x fd00:77::11
      says a 10.77.0.1 dig +short @10.77.0.1 gateway.lab.internal
      says a 10.77.0.200 dig +short @10.77.0.1 printer.lab.internal
      says a 10.77.0.201 dig +short @10.77.0.1 git.example.org
      says a status:_NXDOMAIN dig @10.77.0.1 nobody.lab.internal
      says a status:_REFUSED dig @10.77.0.1 example.com
      """)
    network.ports[1].hostName = "db"
    network.ports[1].address = "10.77.0.77"
    let later = try NameService(network, directory: directory)
    #expect(try later.change() == .reread)
    let other = try Scratch()
    try NameService(network, directory: NetworkDirectory(other.path)).write()
    rig.add(
      """
      run cp \(other.path)/names.d/hosts \(directory.namesHosts)
      run cp \(other.path)/names.d/reservations \(directory.namesReservations)
      reread
      says a 10.77.0.77 dig +short @10.77.0.1 db.lab.internal
      says a status:_NXDOMAIN dig @10.77.0.1 b.lab.internal
      """)
    try rig.run()
    withExtendedLifetime(other) {}
    #expect(try later.change() == .none)
  }

  @Test(
    "Guests get the addresses reserved for them, the MTU, and a router in mode nat",
    arguments: [NetworkConfiguration.Mode.nat, .isolated])
  func addresses(mode: NetworkConfiguration.Mode) throws {
    let scratch = try Scratch()
    let directory = NetworkDirectory(scratch.path)
    var network = Self.network(mode)
    network.ports[2].isConnected = true
    let service = try NameService(network, directory: directory)
    try service.write()
    var rig = try Self.rig(service, network, .strongest)
    for port in network.ports {
      rig.add("guest \(port.hostName) \(port.tap) \(port.mac) br0")
    }
    // A machine that nobody knows is told nothing.
    let router = mode == .nat ? "10.77.0.1" : "none"
    rig.add(
      """
      yes dhcp4 a 10.77.0.10 mtu 1400 router \(router)
      yes dhcp4 b 10.77.0.11 mtu 1400 router \(router)
      sleep 2
      yes dhcp6 a fd00:77::10
      yes router a lifetime \(mode == .nat ? 1800 : 0) mtu 1400 prefix fd00:77::
      in c link set eth0 address 52:54:00:00:00:99
      no dhcp4 c none
      """)
    try rig.run()
    let leases = try service.leases()
    #expect(leases.map(\.address).sorted() == ["10.77.0.10", "10.77.0.11", "fd00:77::10"])
    #expect(leases.allSatisfy { lease in lease.expires.map { $0 > 1_700_000_000 } == true })
    for lease in leases {
      let port = lease.address == "10.77.0.11" ? network.ports[1] : network.ports[0]
      #expect(lease.mac == port.mac && lease.name == port.hostName, "\(lease)")
    }
  }

  @Test("An address leased to another machine than it is reserved for now is free at once")
  func reuse() throws {
    let scratch = try Scratch()
    let directory = NetworkDirectory(scratch.path)
    var network = Self.network(.isolated)
    try NameService(network, directory: directory).write()
    let lines = [
      "1900000000 52:54:00:00:00:0a 10.77.0.10 a 01:52:54:00:00:00:0a",
      "1900000000 52:54:00:00:00:0b 10.77.0.11 b *", "duid 00:01:00:01",
      "1900000000 1 fd00:77::10 a 00:03", "0 2 fd00:77::11 * 00:04",
    ]
    let text = lines.joined(separator: "\n") + "\n"
    try replaceFile(directory.namesLeases, with: Array(text.utf8))
    #expect(try NameService(network, directory: directory).change() == .none)
    network.ports[0].hostName = "renamed"
    #expect(try NameService(network, directory: directory).change() == .reread)
    network.ports[0].mac = "52:54:00:00:00:aa"
    let service = try NameService(network, directory: directory)
    #expect(try service.change() == .restart)
    try service.write()
    let left = [lines[1], lines[2], lines[4]].joined(separator: "\n") + "\n"
    #expect(try readFile(directory.namesLeases) == Array(left.utf8))
    #expect(try service.change() == .none)
    #expect(try service.leases().last?.expires == nil)
  }

  @Test("A machine that is gone leaves no lease, by which its name would be answered still")
  func departure() throws {
    let scratch = try Scratch()
    let directory = NetworkDirectory(scratch.path)
    var network = Self.network(.isolated)
    try NameService(network, directory: directory).write()
    let lines = [
      "1900000000 52:54:00:00:00:0a 10.77.0.10 a *", "1900000000 52:54:00:00:00:0b 10.77.0.11 b *",
      "duid 00:01:00:01", "0 2 fd00:77::11 b 00:04",
    ]
    let text = lines.joined(separator: "\n") + "\n"
    try replaceFile(directory.namesLeases, with: Array(text.utf8))
    network.ports.remove(at: 1)
    let service = try NameService(network, directory: directory)
    #expect(try service.change() == .restart)
    try service.write()
    #expect(try service.leases().map(\.address) == ["10.77.0.10"])
    #expect(try service.change() == .none)
  }
}
