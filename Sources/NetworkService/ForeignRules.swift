public import JSON
internal import Networking

/// Other programs' rules of the host, as `nft --json list ruleset` tells them.
///
/// An accept in one table does not save a packet from a drop in another: Docker and firewalls
/// drop all forwarded packets that they do not know.
public struct ForeignRules: Sendable {
  /// A chain, by its family, table and name.
  private struct Place: Hashable, CustomStringConvertible {
    let family: String
    let table: String
    let chain: String

    init?(_ value: JSONValue, chain: String) {
      guard let family = value["family"]?.string, let table = value["table"]?.string,
        let name = value[chain]?.string
      else { return nil }
      self.family = family
      self.table = table
      self.chain = name
    }

    var description: String { "\(family) \(table) \(chain)" }
  }

  private let chains: [JSONValue]
  private let rules: [JSONValue]

  /// Takes the ruleset apart.
  public init(_ ruleset: JSONValue) {
    let objects = ruleset["nftables"]?.array ?? []
    chains = objects.compactMap { $0["chain"] }
    rules = objects.compactMap { $0["rule"] }
  }

  /// The chains that drop what is forwarded and not accepted by a rule, as `ip filter FORWARD`.
  public var droppingChains: [String] { droppingPlaces.map(\.description) }

  private var droppingPlaces: [Place] {
    chains.filter(stopsForwarding).compactMap { Place($0, chain: "name") }
      .filter { !$0.table.hasPrefix("ingot") }
  }

  /// What would stop packets forwarded from or to an interface, and what to do; nil where nothing.
  public func problem(forwarding interface: String) -> String? {
    guard let place = droppingPlaces.first(where: { !accepts(interface, in: $0) }) else {
      return nil
    }
    let advice =
      chains.contains { $0["name"]?.string == "DOCKER-USER" }
      ? "for Docker: 'iptables -I DOCKER-USER -i \(interface) -j ACCEPT' and the same with -o"
      : "let its owner accept what comes from and goes to '\(interface)'"
    return "the host's firewall drops forwarded packets: chain '\(place.chain)' of table "
      + "'\(place.family) \(place.table)', which accepts only what it knows; \(advice)"
  }

  /// Whether the chain sees forwarded packets and drops what it does not accept.
  private func stopsForwarding(_ chain: JSONValue) -> Bool {
    guard chain["hook"]?.string == "forward", chain["type"]?.string == "filter",
      ["ip", "ip6", "inet"].contains(chain["family"]?.string)
    else { return false }
    if chain["policy"]?.string == "drop" { return true }
    // A last rule without conditions is a policy too.
    guard let place = Place(chain, chain: "name"),
      let last = rules.last(where: { Place($0, chain: "chain") == place })
    else { return false }
    let parts = (last["expr"]?.array ?? []).filter { !$0.says("counter") }
    return parts.count == 1 && (parts[0].says("drop") || parts[0].says("reject"))
  }

  /// Whether a rule of the table, in whichever chain, accepts what goes over the interface.
  private func accepts(_ interface: String, in place: Place) -> Bool {
    rules.contains { rule in
      guard let other = Place(rule, chain: "chain"), other.family == place.family,
        other.table == place.table
      else { return false }
      let parts = rule["expr"]?.array ?? []
      return parts.contains { $0.says("accept") }
        && parts.contains { part in
          let key = part["match"]?["left"]?["meta"]?["key"]?.string
          return (key == "iifname" || key == "oifname")
            && part["match"]?["right"]?.string == interface
        }
    }
  }
}

extension JSONValue {
  /// Whether it has a member, be it null: nft's form of a statement.
  fileprivate func says(_ name: String) -> Bool { object?.names.contains(name) == true }
}
