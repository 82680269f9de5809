import JSON
import Networking
import SystemIO
import TestSupport
import Testing

@Suite("A network's configuration")
struct ConfigurationTests {
  @Test("It comes back from its file as it was written")
  func roundTrip() throws {
    let scratch = try Scratch()
    let directory = NetworkDirectory(scratch.path)
    var bridge = NetworkConfiguration(name: "office", mode: .bridge, bridge: "br-lan")
    bridge.ports = [
      NetworkConfiguration.Port(id: "7/eth0", mac: "52:54:00:00:00:01", hostName: "a")
    ]
    let isolated = NetworkConfiguration(
      name: "inside", mode: .isolated,
      segment6: NetworkConfiguration.Segment(network: "fd01::/64", gateway: "fd01::1"))
    for configuration in [.full, bridge, isolated] {
      try configuration.write(directory)
      #expect(try NetworkConfiguration.read(directory) == configuration)
    }
    #expect(
      NetworkConfiguration.full.ports.map(\.tap).allSatisfy { $0.utf8.count == 14 })
    #expect(Set(NetworkConfiguration.full.ports.map(\.tap)).count == 2)
  }

  @Test("A file that lacks a member, or has one of another form, is refused with its place")
  func shapes() throws {
    let scratch = try Scratch()
    let directory = NetworkDirectory(scratch.path)
    for (name, value) in [
      ("mode", "routed" as JSONValue), ("uplink", ["kind": "tunnel"]), ("mtu", 70_000),
      ("version", 2), ("ports", [["id": "x"]]), ("hosts", nil),
    ] {
      var json = NetworkConfiguration.full.json
      json[name] = value
      try replaceFile(directory.configuration, with: Array(json.text().utf8))
      let error = #expect(throws: NetworkError.self) { try NetworkConfiguration.read(directory) }
      #expect(error?.description.contains("'\(name)") == true, "\(name): \(error as Any)")
    }
  }

  /// What a bad configuration is told, and how to make it.
  struct Mistake: Sendable {
    let problem: String
    let make: @Sendable (inout NetworkConfiguration) -> Void

    init(_ problem: String, _ make: @escaping @Sendable (inout NetworkConfiguration) -> Void) {
      self.problem = problem
      self.make = make
    }
  }

  static let mistakes: [Mistake] = [
    Mistake("10.77.0.255") { $0.ports[0].address = "10.77.0.255" },
    Mistake("10.78.0.4") { $0.ports[0].address = "10.78.0.4" },
    Mistake("address 10.77.0.1 twice") { $0.ports[0].address = "10.77.0.1" },
    Mistake("address fd00:77::11 twice") { $0.ports[1].address6 = "fd00:77:0::11" },
    Mistake("MAC 52:54:00:00:00:0b twice") { $0.ports[1].mac = "52:54:00:00:00:0B" },
    Mistake("host name web twice") { $0.ports[1].hostName = "WEB" },
    Mistake("no hardware address") { $0.ports[0].mac = "01:00:5e:00:00:01" },
    Mistake("no hardware address") { $0.ports[0].mac = "52:54:00:00:00:+b" },
    Mistake("no DNS label") { $0.ports[0].hostName = "web\naddress=/#/1.2.3.4" },
    Mistake("no DNS name") { $0.domain = "lab internal" },
    Mistake("no DNS name") { $0.hosts[0].name = "a..b" },
    Mistake("no address") { $0.hosts[0].addresses = ["10.0.0.1 evil"] },
    Mistake("no address") { $0.forwarders = ["dns.example"] },
    Mistake("no network in CIDR form") { $0.ports[0].filter?.ingress?[0].peers = ["10.0.0.1/8"] },
    Mistake("rule with ports") { $0.ports[0].filter?.ingress?[1].ports = [1...2] },
    Mistake("forward tcp 127.0.0.1 port 8080 twice") {
      $0.ports[0].forwards[1] = $0.ports[0].forwards[0]
    },
    Mistake("no host's address") { $0.segment?.gateway = "10.77.0.0" },
    Mistake("IPv6 needs 1280") { $0.mtu = 1000 },
    Mistake("one /30") { $0.uplink = .veth(host: "100.64.0.1", guest: "100.64.0.5") },
    Mistake("not of mode nat") { $0.mode = .isolated },
    Mistake("not of mode bridge") { $0.bridge = "br0" },
    Mistake("no interface's name") {
      $0 = NetworkConfiguration(name: "b", mode: .bridge, bridge: "br0; flush ruleset")
    },
  ]

  @Test(
    "Values that do not go together are refused, in a file and on the way to it",
    arguments: mistakes)
  func refusals(mistake: Mistake) throws {
    var configuration = NetworkConfiguration.full
    mistake.make(&configuration)
    let scratch = try Scratch()
    let directory = NetworkDirectory(scratch.path)
    let error = #expect(throws: NetworkError.self) { try configuration.write(directory) }
    #expect(error?.description.contains(mistake.problem) == true, "\(error as Any)")
    #expect(!fileExists(directory.configuration))
    try replaceFile(directory.configuration, with: Array(configuration.json.text().utf8))
    #expect(throws: NetworkError.self) { try NetworkConfiguration.read(directory) }
  }

  @Test("A status comes back as it was sent")
  func status() throws {
    let status = NetworkStatus(
      state: .building, problem: "no gate", namespace: 4_026_531_840,
      processes: [
        NetworkStatus.Process(name: "gate", pid: 77, restarts: 1),
        NetworkStatus.Process(name: "names", pid: nil, restarts: 0),
      ],
      leases: [
        NetworkStatus.Lease(
          mac: "52:54:00:00:00:0b", address: "10.77.0.11", name: "web", expires: 1_900_000_000),
        NetworkStatus.Lease(mac: "", address: "fd00:77::11", name: "", expires: nil),
      ],
      ports: [
        NetworkStatus.Port(
          id: "0001/lan", tap: "ing00000000001", isPlugged: true, receivedBytes: 1 << 40,
          receivedPackets: 2, sentBytes: 3, sentPackets: 4)
      ],
      forwardProblems: [
        NetworkStatus.ForwardProblem(
          port: "0001/lan", forward: NetworkConfiguration.full.ports[0].forwards[0],
          problem: "in use")
      ])
    let text = status.json.text()
    #expect(try NetworkStatus(JSONReader(JSONValue(parsing: Array(text.utf8)))) == status)
  }

  @Test("Addresses and networks are read as what they are")
  func addresses() throws {
    #expect(InternetAddress("fd00:0:0::1")?.description == "fd00::1")
    #expect(InternetAddress("010.0.0.1") == nil)
    #expect(InternetAddress("fe80::1%eth0") == nil)
    #expect(InternetNetwork("10.77.0.0/23")?.last == InternetAddress("10.77.1.255"))
    #expect(InternetNetwork("10.77.1.0/23") == nil)
    #expect(InternetNetwork("10.0.0.0/33") == nil)
    #expect(InternetNetwork("fd00::/8")?.contains(try #require(InternetAddress("fdff::1"))) == true)
    #expect(InternetNetwork("::/0")?.contains(try #require(InternetAddress("1.2.3.4"))) == false)
  }
}
