import JSON
import Networking

// A network that ingot serves, as its supervisor is told to: the guest itself sends nothing.
extension BoxCases {
  private static let yard = "Network/yard"
  private static let group = "SecurityGroup/web"

  static let served = [
    FieldCase(
      group, "ingress", to: [["protocol": "tcp", "ports": ["8080-8090"], "from": ["10.0.0.9"]]],
      .live, shows: "tcp 8080...8090 10.0.0.9/32"
    ) {
      try await $0.network("yard") { network in
        network.ports.first?.filter?.ingress?.map { rule in
          "\(rule.protocol.rawValue) \(rule.ports.map { "\($0)" }.joined(separator: " ")) "
            + rule.peers.joined(separator: " ")
        }.joined(separator: ", ")
      }
    },
    FieldCase(
      group, "default.ingress", to: "Allow", and: [Edit(group, "ingress", to: nil)], .live,
      paths: ["ingress", "default.ingress"], shows: "all"
    ) {
      try await $0.network("yard") { $0.ports.first?.filter?.ingress == nil ? "all" : "some" }
    },
    FieldCase(
      machine, "interfaces[].bandwidth.inbound", at: "interfaces[yard].bandwidth",
      to: ["inbound": "1Mi"], .live, shows: "1048576"
    ) { try await $0.network("yard") { $0.ports.first?.inbound?.description } },
    FieldCase(
      machine, "interfaces[].bandwidth.outbound", at: "interfaces[yard].bandwidth.outbound",
      to: "64Ki", .live, shows: "65536"
    ) { try await $0.network("yard") { $0.ports.first?.outbound?.description } },
  ]

  /// With the machine's next boot.
  static let servedAnew = [
    FieldCase(
      yard, "ipv6.enabled", at: "ipv6", to: ["enabled": false], .nextBoot, shows: "nothing"
    ) { try await $0.network("yard") { $0.segment6?.network } },
    FieldCase("Network/lab", "mode", to: "nat", .nextBoot, shows: "nat") {
      try await $0.network("lab") { $0.mode.rawValue }
    },
  ]
}
