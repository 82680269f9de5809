import EmbeddedEngine
import JSON
import NetworkService
import Resources
import Testing

@testable import Commands

@Suite("What stands in the way of networks")
struct NetworkCheckTests {
  private func text(
    _ facts: NetworkFacts, subnets: [(name: String, subnet: String)] = []
  ) -> String {
    NetworkChecks(facts: facts).run(subnets: subnets).map { check in
      "\(check.verdict.rawValue) \(check.name): \(check.detail)"
        + (check.help.map { "\n  \($0)" } ?? "")
    }.joined(separator: "\n")
  }

  @Test("nothing")
  func fine() {
    #expect(
      text(NetworkFacts()) == """
        ok network namespaces: can be made
        ok /dev/net/tun: readable and writable
        ok network programs: all there
        ok packet filter: nftables works in a namespace
        """)
    #expect(
      text(NetworkFacts(isRoot: true)).hasSuffix(
        "\nok forwarding: no chain of the host drops what guests send"))
  }

  @Test(
    "the setting that keeps users from namespaces is named with its value",
    arguments: [
      (["kernel.unprivileged_userns_clone": "0"], "sysctl -w kernel.unprivileged_userns_clone=1"),
      (
        ["kernel.apparmor_restrict_unprivileged_userns": "1"],
        "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
      ),
      (
        ["user.max_user_namespaces": "0", "user.max_net_namespaces": "0"],
        "sysctl -w user.max_user_namespaces=15000 user.max_net_namespaces=15000"
      ),
      (
        ["user.max_user_namespaces": "96365", "kernel.unprivileged_userns_clone": "1"],
        "in a container, allow it namespaces (unshare and setns) or run ingot on the host itself"
      ),
    ])
  func settings(settings: [String: String], help: String) throws {
    let facts = NetworkFacts(
      settings: settings, namespaceProblem: "unshare: Operation not permitted")
    let check = try #require(NetworkChecks(facts: facts).run(subnets: []).first)
    #expect(check.verdict == .warn)
    #expect(check.detail == "can't be made: unshare: Operation not permitted")
    #expect(check.help?.hasSuffix(help) == true)
    // What could not be tried is not said to work.
    #expect(!text(facts).contains("packet filter"))
  }

  @Test("devices, programs, rules")
  func others() {
    var facts = NetworkFacts()
    facts.tunDevice = .denied
    facts.missingPrograms = [
      ("dnsmasq", "dnsmasq-base"), ("nsenter", "util-linux"), ("unshare", "util-linux"),
    ]
    facts.filterProblem = "Error: Could not process rule: No such file or directory"
    #expect(
      text(facts) == """
        ok network namespaces: can be made
        warn /dev/net/tun: not readable and writable for you: guests can't be plugged into networks
          as root: chmod 0666 /dev/net/tun, which is what udev sets it to
        warn network programs: not installed: dnsmasq, nsenter, unshare
          apt-get install dnsmasq-base util-linux
        warn packet filter: nftables can't be used in a namespace: Error: Could not process rule: No such file or directory
          as root: modprobe -a nf_tables nft_masq nft_ct nf_tables_bridge
        """)
    facts.tunDevice = .missing
    #expect(
      text(facts).contains(
        "not there: guests can't be plugged into networks\n  as root: modprobe tun"))
  }

  @Test("a firewall of the host that drops what is forwarded, as nft lists it")
  func firewall() throws {
    let listed = """
      {"nftables": [{"metainfo": {"version": "1.0.6"}},
        {"chain": {"family": "ip", "table": "nat", "name": "POSTROUTING", "type": "nat",
          "hook": "postrouting", "prio": 100, "policy": "accept"}},
        {"chain": {"family": "ip", "table": "filter", "name": "DOCKER"}},
        {"chain": {"family": "ip", "table": "filter", "name": "FORWARD", "type": "filter",
          "hook": "forward", "prio": 0, "policy": "drop"}}]}
      """
    let chains = try ForeignRules(JSONValue(parsing: Array(listed.utf8))).droppingChains
    #expect(chains == ["ip filter FORWARD"])
    let facts = NetworkFacts(isRoot: true, droppingChains: chains)
    #expect(text(facts).contains("warn forwarding: the chain 'ip filter FORWARD' drops"))
    #expect(text(facts).contains("iptables -I DOCKER-USER -s SUBNET -j ACCEPT"))
    // Without root nothing of the host's is in the way.
    #expect(!text(NetworkFacts(droppingChains: chains)).contains("forwarding"))
  }

  @Test("a subnet that the host has itself")
  func overlap() throws {
    let bridge = try #require(IPv4Network("172.17.0.0/16"))
    let facts = NetworkFacts(hostNetworks: [UsedNetwork(bridge, "a route of the host")])
    let found = text(
      facts, subnets: [("lab", "172.17.3.0/24"), ("far", "10.77.0.0/24"), ("odd", "nonsense")])
    #expect(
      found.hasSuffix(
        """
        warn network lab: its subnet 172.17.3.0/24 is in use on this host: 172.17.0.0/16 is a route of the host
          its guests can't reach what is behind that; give it another subnet
        """))
  }
}
