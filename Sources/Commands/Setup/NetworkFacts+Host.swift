internal import EmbeddedEngine
internal import JSON
internal import NetworkService
internal import Networking
internal import SystemIO

extension NetworkFacts {
  /// Looks at the host; blocks its thread for the time of some short programs.
  static func gather(_ environment: Environment, host: HostContext) -> NetworkFacts {
    var facts = NetworkFacts()
    facts.isRoot = environment.isRoot
    for name in settingNames { facts.settings[name] = setting(name) }
    facts.tunDevice = tunDevice()
    // A program without a path is not there.
    facts.missingPrograms = NetworkTool.allCases.filter { (try? $0.path()) == nil }
      .map { ($0.rawValue, $0.package) }
    let namespace = facts.isRoot ? ["--net"] : ["--user", "--map-root-user", "--net"]
    facts.namespaceProblem = problem(.unshare, namespace + ["true"], host)
    if facts.namespaceProblem == nil, let nft = try? NetworkTool.nft.path() {
      facts.filterProblem = problem(.unshare, namespace + [nft, filterProbe], host)
    }
    if facts.isRoot { facts.droppingChains = droppingChains(host) }
    facts.hostNetworks = HostNetworks.read()
    return facts
  }

  private static let settingNames = [
    "kernel.unprivileged_userns_clone", "kernel.apparmor_restrict_unprivileged_userns",
    "user.max_user_namespaces", "user.max_net_namespaces",
  ]

  /// What a network needs of nftables, in nft(8)'s language.
  ///
  /// That is filters of bridged frames and the translation of addresses. It stands in a namespace
  /// that goes with its process.
  private static let filterProbe = [
    "add table inet ingot", "add chain inet ingot out { type nat hook postrouting priority 100; }",
    "add rule inet ingot out masquerade", "add table bridge ingot",
    "add chain bridge ingot pass { type filter hook forward priority 0; policy drop; }",
    "add rule bridge ingot pass ether type arp accept",
  ].joined(separator: "; ")

  /// Why a program fails, in its first line; nil where it doesn't.
  private static func problem(
    _ tool: NetworkTool, _ arguments: [String], _ host: HostContext
  ) -> String? {
    do {
      let result = try tool.request(arguments).run(milliseconds: 5000, host: host)
      if result.end == .exited(0) { return nil }
      let words = String(decoding: result.errorOutput, as: UTF8.self).split(separator: "\n")
      return words.first.map(String.init) ?? "\(tool.rawValue) failed without a word"
    } catch {
      return "\(error)"
    }
  }

  private static func setting(_ name: String) -> String? {
    let path = "/proc/sys/" + name.replacing(".", with: "/")
    // A kernel without the setting has no such file.
    guard let bytes = try? readFile(path, limit: 64) else { return nil }
    return String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
  }

  private static func tunDevice() -> Access {
    do {
      _ = try Descriptor.open("/dev/net/tun", .readWrite)
      return .granted
    } catch {
      return error.isDenied ? .denied : .missing
    }
  }

  private static func droppingChains(_ host: HostContext) -> [String] {
    // Where rules can't be listed, or are told in another form, there are none to warn of.
    let result = try? NetworkTool.nft.request(["--json", "list", "ruleset"])
      .run(milliseconds: 5000, host: host)
    guard let result, result.end == .exited(0), let ruleset = try? JSONValue(parsing: result.output)
    else { return [] }
    return ForeignRules(ruleset).droppingChains
  }
}
