import JSON
import Networking

// A network that ingot serves, as a guest on it sees it.
extension DebianCases {
  private static let house = "Network/house"
  private static let walled = "SecurityGroup/walled"

  static let served = [
    FieldCase(
      house, "dns.hosts", at: "dns.hosts[printer]",
      to: ["name": "printer", "addresses": ["192.0.2.7"]], .live, shows: "192.0.2.7"
    ) { try await $0.resolved("printer.house.test") },
    FieldCase(
      house, "dns.hosts[].addresses", at: "dns.hosts[printer].addresses", to: ["192.0.2.8"], .live,
      shows: "192.0.2.8"
    ) { try await $0.resolved("printer.house.test") },
    FieldCase(
      house, "dns.hosts[].name", at: "dns.hosts[printer].name", to: "scanner", .live,
      paths: ["dns.hosts[printer]", "dns.hosts[scanner]"], shows: "192.0.2.8"
    ) { try await $0.resolved("scanner.house.test") },
    FieldCase(house, "dns.domain", to: "home.test", .live, shows: "true") {
      let address = try await $0.resolved("deb.home.test")
      return "\(address == (try await $0.addressInHouse()))"
    },
    FieldCase(house, "dns.forwarders", to: ["192.0.2.53"], .live, shows: "192.0.2.53") {
      try await $0.network("house") { $0.forwarders.joined() }
    },
    FieldCase(
      machine, "interfaces[].securityGroups", at: "interfaces[house].securityGroups",
      to: ["walled"], .live, shows: "dropped"
    ) { try await $0.reachesGateway() },
    FieldCase(
      walled, "egress", to: [["protocol": "icmp", "to": ["10.88.0.0/24"]]], .live, shows: "reached"
    ) { try await $0.reachesGateway() },
    FieldCase(
      walled, "default.egress", to: "Allow", and: [Edit(walled, "egress", to: nil)], .live,
      paths: ["egress", "default.egress"], shows: "reached, without rules"
    ) {
      let rules = try await $0.network("house") { network in
        network.ports.first?.filter?.egress == nil ? "without rules" : "by a rule"
      }
      return "\(try await $0.reachesGateway()), \(rules)"
    },
  ]

  static let servedAnew = [
    FieldCase(house, "subnet", to: "10.89.0.0/24", .nextBoot, shows: "10.89.0") {
      try await $0.addressInHouse().split(separator: ".").prefix(3).joined(separator: ".")
    },
    FieldCase(house, "ipv6.subnet", to: "fd00:89::/64", .nextBoot, shows: "fd00:89:") {
      try await $0.inHouse(
        "ip -6 -o address show $card scope global | grep -o 'fd00:8[0-9]:' | sort -u | xargs")
    },
    FieldCase(
      machine, "interfaces[].address6", at: "interfaces[house].address6", to: "fd00:89::77",
      .nextBoot, shows: "fd00:89::77"
    ) {
      try await $0.inHouse(
        """
        ip -6 -o address show $card | grep -q fd00:89::77 ||
          dhclient -6 -1 -lf /run/house6.leases -pf /run/house6.pid $card >/dev/null 2>&1 || true
        ip -6 -o address show $card | grep -o 'fd00:89::77' || true
        """)
    },
    FieldCase(house, "mtu", to: 1400, .nextBoot, shows: "1400") {
      try await $0.inHouse("cat /sys/class/net/$card/mtu")
    },
  ]
}
