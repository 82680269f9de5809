internal import EmbeddedEngine
internal import Resources

/// What stands in the way of networks, each with the way to mend it; a judgement of facts alone.
struct NetworkChecks: Sendable {
  /// The facts of the host.
  let facts: NetworkFacts

  /// All checks, what the others need first.
  ///
  /// - Parameter subnets: the IPv4 networks that are declared or chosen, by the network's name.
  func run(subnets: [(name: String, subnet: String)]) -> [Check] {
    [namespaces, device, programs, packetFilter].compactMap { $0 }
      + (facts.isRoot ? [forwarding] : []) + overlaps(subnets)
  }

  private var namespaces: Check {
    let name = "network namespaces"
    guard let problem = facts.namespaceProblem else { return .ok(name, "can be made") }
    let detail = "can't be made: \(problem)"
    if facts.isRoot {
      return .warn(
        name, detail, help: "run ingot where CAP_SYS_ADMIN and CAP_NET_ADMIN are not taken away")
    }
    return .warn(name, detail, help: mend(namespaceSettings))
  }

  /// The settings that keep an ordinary user from making namespaces, with the values that allow it.
  private var namespaceSettings: [String] {
    let blocking: [(name: String, isBlocking: (String) -> Bool, value: String)] = [
      ("kernel.unprivileged_userns_clone", { $0 == "0" }, "1"),
      ("kernel.apparmor_restrict_unprivileged_userns", { $0 != "0" }, "0"),
      ("user.max_user_namespaces", { $0 == "0" }, "15000"),
      ("user.max_net_namespaces", { $0 == "0" }, "15000"),
    ]
    return blocking.filter { facts.settings[$0.name].map($0.isBlocking) == true }
      .map { "\($0.name)=\($0.value)" }
  }

  private func mend(_ settings: [String]) -> String {
    settings.isEmpty
      ? "in a container, allow it namespaces (unshare and setns) or run ingot on the host itself"
      : "as root: sysctl -w \(settings.joined(separator: " "))"
  }

  private var device: Check {
    let name = "/dev/net/tun"
    return switch facts.tunDevice {
    case .granted: .ok(name, "readable and writable")
    case .missing:
      .warn(
        name, "not there: guests can't be plugged into networks",
        help: "as root: modprobe tun; in a container, hand it the device")
    case .denied:
      .warn(
        name, "not readable and writable for you: guests can't be plugged into networks",
        help: "as root: chmod 0666 /dev/net/tun, which is what udev sets it to")
    }
  }

  private var programs: Check {
    let name = "network programs"
    guard !facts.missingPrograms.isEmpty else { return .ok(name, "all there") }
    let names = facts.missingPrograms.map(\.name).joined(separator: ", ")
    var packages: [String] = []
    for package in facts.missingPrograms.map(\.package) where !packages.contains(package) {
      packages.append(package)
    }
    return .warn(
      name, "not installed: \(names)", help: "apt-get install \(packages.joined(separator: " "))")
  }

  /// Nil where it can't be tried, as other checks say.
  private var packetFilter: Check? {
    let name = "packet filter"
    if let problem = facts.filterProblem {
      return .warn(
        name, "nftables can't be used in a namespace: \(problem)",
        help: "as root: modprobe -a nf_tables nft_masq nft_ct nf_tables_bridge")
    }
    let isTried =
      facts.namespaceProblem == nil && !facts.missingPrograms.contains { $0.name == "nft" }
    return isTried ? .ok(name, "nftables works in a namespace") : nil
  }

  private var forwarding: Check {
    let name = "forwarding"
    guard let chain = facts.droppingChains.first else {
      return .ok(name, "no chain of the host drops what guests send")
    }
    return .warn(
      name, "the chain '\(chain)' drops what no rule accepts: guests of mode nat may not get out",
      help: chain == "ip filter FORWARD"
        ? "Docker's or another firewall's; accept the guests' subnets in it, with Docker: "
          + "iptables -I DOCKER-USER -s SUBNET -j ACCEPT and the same with -d"
        : "accept the guests' subnets in that chain")
  }

  private func overlaps(_ subnets: [(name: String, subnet: String)]) -> [Check] {
    subnets.compactMap { name, text in
      guard let subnet = IPv4Network(text),
        let other = facts.hostNetworks.first(where: { $0.network.overlaps(subnet) })
      else { return nil }
      return .warn(
        "network \(name)",
        "its subnet \(text) is in use on this host: \(other.network) is \(other.user)",
        help: "its guests can't reach what is behind that; give it another subnet")
    }
  }
}
