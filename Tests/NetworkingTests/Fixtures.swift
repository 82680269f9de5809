import Networking

extension NetworkConfiguration {
  /// A network of mode nat with two machines, which uses every field.
  static let full = NetworkConfiguration(
    name: "lab", mode: .nat, uplink: .veth(host: "100.64.0.1", guest: "100.64.0.2"),
    segment: Segment(network: "10.77.0.0/24", gateway: "10.77.0.1"),
    segment6: Segment(network: "fd00:77::/64", gateway: "fd00:77::1"), domain: "lab.internal",
    hosts: [HostRecord(name: "printer", addresses: ["10.77.0.200", "fd00:77::200"])],
    forwarders: ["9.9.9.9"], mtu: 9000,
    ports: [
      Port(
        id: "0001/lan", mac: "52:54:00:00:00:0b", address: "10.77.0.11", address6: "fd00:77::11",
        hostName: "web",
        forwards: [
          Forward(.tcp, hostAddress: "127.0.0.1", hostPort: 8080, guestPort: 80),
          Forward(.udp, hostAddress: "::", hostPort: 5353, guestPort: 53),
        ],
        filter: Filter(
          ingress: [
            Rule(.tcp, ports: [80...80, 8000...8999], peers: ["10.0.0.0/8", "fd00::/8"]),
            Rule(.icmp),
          ], egress: []), inbound: 1_000_000, outbound: 2_000_000),
      Port(
        id: "0002/lan", mac: "52:54:00:00:00:0c", address: "10.77.0.12", hostName: "db",
        isConnected: false, filter: Filter(egress: [Rule(.any, peers: ["10.77.0.0/24"])])),
    ])
}

extension String {
  func replacing(_ part: String, _ other: String) -> String {
    split(separator: part, omittingEmptySubsequences: false).joined(separator: other)
  }
}
