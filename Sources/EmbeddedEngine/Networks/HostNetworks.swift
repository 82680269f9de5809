package import Resources
internal import SystemIO

/// A range of addresses that is in use, and by whom.
package struct UsedNetwork: Sendable, Hashable {
  /// The range.
  package var network: IPv4Network
  /// Who uses it, for messages: `a route of the host`.
  package var user: String

  /// Describes a range in use.
  package init(_ network: IPv4Network, _ user: String) {
    self.network = network
    self.user = user
  }
}

/// The networks that the host's own routes and addresses are in.
package enum HostNetworks {
  /// Reads them from the kernel's routing tables, all of them, with those of tunnels.
  ///
  /// Without the table nothing is known to be in use.
  package static func read() -> [UsedNetwork] {
    guard let bytes = try? readFile("/proc/net/fib_trie") else { return [] }
    return parse(String(decoding: bytes, as: UTF8.self))
  }

  /// Reads a table of the kernel's net/ipv4/fib_trie.c: a leaf `|-- 192.0.2.0`, and below it its
  /// routes as `/24 link UNICAST`.
  package static func parse(_ text: String) -> [UsedNetwork] {
    var found: Set<UsedNetwork> = []
    var leaf: Substring = ""
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.count == 2, words[0] == "|--" {
        leaf = words[1]
      } else if words.count >= 3, words[0].first == "/", let type = words.last,
        let network = IPv4Network("\(leaf)\(words[0])"), let user = user(type, network)
      {
        found.insert(UsedNetwork(network, user))
      }
    }
    return found.sorted { ($0.network.first, $0.user) < ($1.network.first, $1.user) }
  }

  private static func user(_ type: Substring, _ network: IPv4Network) -> String? {
    // The default route, and a host's own loopback addresses, keep nobody from anything.
    guard network.prefix > 0, network.first.value >> 24 != 127 else { return nil }
    switch type {
    case "LOCAL": return "an address of the host"
    case "BROADCAST", "MULTICAST", "ANYCAST": return nil
    default: return "a route of the host"
    }
  }
}
