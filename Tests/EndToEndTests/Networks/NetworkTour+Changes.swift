import JSON
import SystemIO
import TestSupport
import Testing

// What changes while the guests run, and what a guest can't change.
extension NetworkTour {
  /// Nobody hears a guest under another one's address.
  func spoofing() async throws {
    let mac = try await web2.run("cat /sys/class/net/eth0/address").filter { $0 != "\n" }
    func setAddress(_ mac: String) async throws {
      _ = try await web2.run(
        """
        address=$(ip -4 address show dev eth0 | sed -n 's/ *inet \\([^ ]*\\).*/\\1/p')
        ip link set eth0 down; ip link set eth0 address \(mac); ip link set eth0 up
        ip address replace $address dev eth0
        """)
    }
    try await setAddress("52:54:00:66:66:66")
    #expect(try await !web2.reaches("10.77.0.11"), "under another MAC address")
    try await setAddress(mac)
    #expect(try await web2.eventuallyReaches("10.77.0.11"))

    _ = try await web2.run("ip address add 10.77.0.200/24 dev eth0")
    #expect(
      try await !web2.succeeds("ping -A -c 3 -w 5 -I 10.77.0.200 10.77.0.11"),
      "under another IPv4 address")
    _ = try await web2.run("ip address del 10.77.0.200/24 dev eth0")
    // Claims an address of web1's by ARP; who believed that would ask web2 now.
    _ = try await web2.run(
      """
      ip address add 10.77.0.11/32 dev eth0
      arping -q -U -c 3 -I eth0 10.77.0.11 || :
      arping -q -A -c 3 -I eth0 10.77.0.11 || :
      """)
    try await forwards()
    _ = try await web2.run("ip address del 10.77.0.11/32 dev eth0")
    #expect(try await web2.eventuallyReaches("web1"))
  }

  /// Rules hold as soon as they are applied, for what comes and what goes.
  func securityGroups(_ site: inout NetworkSite) async throws {
    let before = try await ingot.machine("web1")["processID"]?.integer
    func setGroup(_ spec: JSONValue) async throws {
      site.set("SecurityGroup", "web", spec)
      try await site.apply()
    }
    var interface = Self.web1
    interface["securityGroups"] = ["web"]
    site.setMachine("web1", interface, ["name": "side", "network": "back"])
    try await setGroup(["ingress": [["protocol": "tcp", "ports": ["80"]]]])
    #expect(try await web2.get("http://web1/cgi-bin/name") == "web1\n")
    #expect(try await !web2.reaches("web1"))
    #expect(try await !web2.reaches("web1", "-6"))
    #expect(
      try await host.run("python3 world.py get http://127.0.0.1:8080/cgi-bin/name") == "web1\n")
    // Answers to what it asks itself pass.
    #expect(try await web1.get("http://\(World.address)/") != "")

    try await setGroup([
      "ingress": [
        ["protocol": "icmp", "from": ["group:web"]], ["ports": ["80"], "protocol": "tcp"],
      ]
    ])
    #expect(try await !web2.reaches("web1"), "web2 is not under the group")
    site.setMachine(
      "web2", ["name": "lan", "network": "lab", "securityGroups": ["web"]])
    try await site.apply()
    for version in ["-4", "-6"] { #expect(try await web2.eventuallyReaches("web1", version)) }

    try await setGroup([
      "ingress": [["protocol": "tcp", "ports": ["80"]]], "default": ["egress": "Deny"],
    ])
    #expect(try await web1.get("http://\(World.address)/") == "")
    #expect(
      try await host.run("python3 world.py get http://127.0.0.1:8080/cgi-bin/name") == "web1\n")

    site.setMachine("web1", Self.web1, ["name": "side", "network": "back"])
    site.setMachine("web2", ["name": "lan", "network": "lab"])
    site.remove("SecurityGroup/web")
    try await site.apply()
    #expect(try await web2.eventuallyReaches("web1"))
    #expect(try await web1.get("http://\(World.address)/") != "")
    #expect(try await ingot.machine("web1")["processID"]?.integer == before)
  }

  /// An interface is plugged into a running guest, and out of it again.
  func plugging(_ site: inout NetworkSite) async throws {
    let before = try await ingot.machine("web2")["processID"]?.integer
    site.setMachine(
      "web2", ["name": "lan", "network": "lab"], ["name": "side", "network": "back"])
    try await site.apply()
    for version in ["-4", "-6"] {
      #expect(try await hidden.eventuallyReaches("web2", version))
    }
    site.setMachine("web2", ["name": "lan", "network": "lab"])
    try await site.apply()
    #expect(try await !hidden.reaches("web2"))
    #expect(try await web1.eventuallyReaches("web2"))
    #expect(try await ingot.machine("web2")["processID"]?.integer == before)
  }

  /// A guest that is gone is known no more.
  func departure(_ site: inout NetworkSite) async throws {
    site.remove("VirtualMachine/web2")
    try await site.apply()
    let answer = try await web1.run("nslookup web2.lab.internal || :")
    #expect(!answer.contains("Address: 10.77."), "\(answer)")
    #expect(try await web1.get("http://\(World.address)/") != "")
  }
}
