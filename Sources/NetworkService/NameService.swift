public import Networking
internal import SystemIO

/// The files of a network's dnsmasq, which gives addresses and answers names.
///
/// Addresses and names are in files of their own, which dnsmasq reads again at SIGHUP; only the
/// rest needs a new dnsmasq. To put a new state in effect: ask `change()`, stop dnsmasq where it
/// says `restart`, call `write()`, then start dnsmasq or send it SIGHUP.
public struct NameService: Sendable {
  /// What dnsmasq needs for what is to be written.
  public enum Change: Hashable, Sendable {
    /// Nothing: the files are as they are to be.
    case none
    /// To read its files again: SIGHUP.
    case reread
    /// To be stopped before the files are written, and started after.
    case restart
  }

  let network: NetworkConfiguration
  let directory: NetworkDirectory
  let resolvers: [String]

  /// Makes the files' texts of a network, which is not of mode `bridge`.
  ///
  /// - Parameter hostResolvers: the addresses of the resolvers that the host uses, for an uplink
  ///   that has none of its own; see `hostResolvers(_:)`.
  public init(
    _ network: NetworkConfiguration, directory: NetworkDirectory, hostResolvers: [String] = []
  ) throws(NetworkError) {
    try network.check()
    self.network = network
    self.directory = directory
    if network.mode != .nat {
      resolvers = []
    } else if !network.forwarders.isEmpty {
      resolvers = network.forwarders
    } else {
      switch network.uplink {
      case .none: resolvers = []
      case .userMode: resolvers = ["10.0.2.3"]
      case .veth: resolvers = hostResolvers.filter { InternetAddress($0) != nil }
      }
    }
  }

  /// The resolvers that a text of resolv.conf(5) names, but those in the host alone.
  public static func hostResolvers(_ text: String) -> [String] {
    text.split(separator: "\n").compactMap { line in
      let words = line.split { $0 == " " || $0 == "\t" }
      guard words.count > 1, words[0] == "nameserver", let address = InternetAddress(words[1]),
        address.bytes[0] != 127, address != InternetAddress("::1")
      else { return nil }
      return address.description
    }
  }

  /// dnsmasq's arguments: beside its files nothing counts, and it runs as who starts it.
  public var arguments: [String] {
    ["--conf-file=\(directory.namesConfiguration)", "--user=", "--group=", "--pid-file="]
  }

  /// The text of `NetworkDirectory.namesConfiguration`.
  public var configuration: String {
    (serviceLines + addressLines4 + addressLines6).map { $0 + "\n" }.joined()
  }

  private var serviceLines: [String] {
    var lines = [
      "keep-in-foreground", "log-facility=-", "quiet-dhcp", "quiet-dhcp6", "quiet-ra",
      "interface=\(PacketRules.bridgeName)", "except-interface=lo", "bind-dynamic",
      "no-hosts", "no-resolv", "no-poll", "domain-needed", "bogus-priv", "cache-size=1000",
      "addn-hosts=\(directory.namesHosts.inConfiguration)",
      "dhcp-hostsfile=\(directory.namesReservations.inConfiguration)",
      "dhcp-leasefile=\(directory.namesLeases.inConfiguration)",
      "dhcp-authoritative", "no-ping", "dhcp-lease-max=65535",
      // A guest has the name it is given, not the one it says.
      "dhcp-ignore-names",
    ]
    lines += resolvers.map { "server=\($0)" }
    if let domain = network.domain { lines += ["domain=\(domain)", "local=/\(domain)/"] }
    return lines
  }

  /// Short enough that a guest soon hears of another router or resolver.
  private static let leaseTime = "1h"

  private var addressLines4: [String] {
    guard let segment = network.segment, let range = InternetNetwork(segment.network) else {
      return []
    }
    var lines = [
      "dhcp-range=\(range.first),static,\(range.mask),\(Self.leaseTime)",
      "dhcp-option=option:mtu,\(network.mtu)",
      "dhcp-option=option:dns-server,\(segment.gateway)",
      // Without a value the option is not sent, and a guest has no way out.
      network.mode == .nat ? "dhcp-option=option:router,\(segment.gateway)" : "dhcp-option=3",
    ]
    if let domain = network.domain { lines.append("dhcp-option=option:domain-search,\(domain)") }
    return lines
  }

  private var addressLines6: [String] {
    guard let segment = network.segment6, let range = InternetNetwork(segment.network) else {
      return []
    }
    var lines = [
      "enable-ra", "dhcp-range=\(range.first),static,slaac,\(range.prefix),\(Self.leaseTime)",
      // Often, for a guest may come up with its cable out; a router for nobody on no way out.
      "ra-param=\(PacketRules.bridgeName),mtu:\(network.mtu),60,\(network.mode == .nat ? 1800 : 0)",
      "dhcp-option=option6:dns-server,[\(segment.gateway)]",
    ]
    if let domain = network.domain { lines.append("dhcp-option=option6:domain-search,\(domain)") }
    return lines
  }

  /// The text of `NetworkDirectory.namesReservations`: who gets which address.
  public var reservations: String {
    network.ports.filter { $0.address != nil || $0.address6 != nil }.map { port in
      let addresses = [port.address, port.address6.map { "[\($0)]" }].compactMap { $0 }
      return ([port.mac] + addresses + [port.hostName]).joined(separator: ",") + "\n"
    }.joined()
  }

  /// The text of `NetworkDirectory.namesHosts`: the names and their addresses.
  public var hosts: String {
    let gateways = [network.segment?.gateway, network.segment6?.gateway].compactMap { $0 }
    var records = network.ports.map { port in
      (name: port.hostName, addresses: [port.address, port.address6].compactMap { $0 })
    }
    records += network.hosts.map { ($0.name, $0.addresses) }
    // A guest of that name keeps it.
    if !records.contains(where: { $0.name.lowercased() == "gateway" }) {
      records.append(("gateway", gateways))
    }
    return records.flatMap { name, addresses in
      addresses.map { "\($0) \(names(name))\n" }
    }.joined()
  }

  /// A name as it is asked for: one label with the domain and without.
  private func names(_ name: String) -> String {
    guard let domain = network.domain, !name.contains(".") else { return name }
    return "\(name).\(domain) \(name)"
  }
}

extension InternetNetwork {
  /// `255.255.255.0`.
  fileprivate var mask: String {
    let bits = prefix == 0 ? 0 : ~0 << UInt32(32 - prefix) as UInt32
    return [24, 16, 8, 0].map { "\(bits >> $0 & 255)" }.joined(separator: ".")
  }
}

extension String {
  /// As a value in dnsmasq's configuration, whatever it holds.
  fileprivate var inConfiguration: String {
    var text = "\""
    for character in unicodeScalars {
      switch character {
      case "\"", "\\": text += "\\\(character)"
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      default: text.unicodeScalars.append(character)
      }
    }
    return text + "\""
  }
}
