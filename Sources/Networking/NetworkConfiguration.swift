/// What a network is to be; the engine writes it to `NetworkDirectory.configuration`.
public struct NetworkConfiguration: Hashable, Sendable {
  /// How the guests are joined.
  public enum Mode: String, Hashable, Sendable, CaseIterable {
    /// To each other, and out through the host's addresses.
    case nat
    /// To each other alone.
    case isolated
    /// To a bridge of the host.
    case bridge
  }

  /// A transport that has ports.
  public enum Transport: String, Hashable, Sendable, CaseIterable {
    /// Connections.
    case tcp
    /// Datagrams.
    case udp
  }

  /// A range of addresses and the gateway's own in it.
  public struct Segment: Hashable, Sendable {
    /// In CIDR form: `10.77.0.0/24`, `fd00:77::/64`.
    public var network: String
    /// The address of the bridge: the guests' router and resolver.
    public var gateway: String

    /// Describes a range.
    public init(network: String, gateway: String) {
      self.network = network
      self.gateway = gateway
    }
  }

  /// A port of the host that leads to one of a guest.
  public struct Forward: Hashable, Sendable {
    /// The transport on both sides.
    public var transport: Transport
    /// The host's address that is listened on; `0.0.0.0` or `::` for all.
    public var hostAddress: String
    /// The host's port.
    public var hostPort: UInt16
    /// The guest's port.
    public var guestPort: UInt16

    /// Describes a forward.
    public init(
      _ transport: Transport, hostAddress: String, hostPort: UInt16, guestPort: UInt16
    ) {
      self.transport = transport
      self.hostAddress = hostAddress
      self.hostPort = hostPort
      self.guestPort = guestPort
    }
  }

  /// Traffic that is allowed.
  public struct Rule: Hashable, Sendable {
    /// What a packet carries.
    public enum Content: String, Hashable, Sendable, CaseIterable {
      /// Anything.
      case any
      /// TCP.
      case tcp
      /// UDP.
      case udp
      /// ICMP and ICMPv6.
      case icmp
    }

    /// What the packets carry.
    public var `protocol`: Content
    /// The receiver's ports, for TCP and UDP; none means all.
    public var ports: [ClosedRange<UInt16>]
    /// The other end's networks in CIDR form; none means everybody.
    public var peers: [String]

    /// Describes traffic.
    public init(
      _ protocol: Content, ports: [ClosedRange<UInt16>] = [], peers: [String] = []
    ) {
      self.protocol = `protocol`
      self.ports = ports
      self.peers = peers
    }
  }

  /// What may pass a port; replies always may.
  public struct Filter: Hashable, Sendable {
    /// What others may send to the guest; nil means everything, empty nothing.
    public var ingress: [Rule]?
    /// What the guest may send to others; nil means everything, empty nothing.
    public var egress: [Rule]?

    /// Describes what may pass.
    public init(ingress: [Rule]? = nil, egress: [Rule]? = nil) {
      self.ingress = ingress
      self.egress = egress
    }
  }

  /// One interface of a machine.
  public struct Port: Hashable, Sendable {
    /// `MACHINEUID/INTERFACE`.
    public var id: String
    /// The interface's hardware address: `52:54:00:12:34:56`.
    public var mac: String
    /// Its IPv4 address; nil where the network has none.
    public var address: String?
    /// Its IPv6 address; nil where the network has none.
    public var address6: String?
    /// The guest's name on this network, one label.
    public var hostName: String
    /// Whether its cable is in.
    public var isConnected: Bool
    /// The host's ports that lead to it.
    public var forwards: [Forward]
    /// What may pass; nil means everything.
    public var filter: Filter?
    /// Bytes per second that the guest may receive; nil means any number.
    public var inbound: Int?
    /// Bytes per second that the guest may send; nil means any number.
    public var outbound: Int?

    /// Describes an interface.
    public init(
      id: String, mac: String, address: String? = nil, address6: String? = nil, hostName: String,
      isConnected: Bool = true, forwards: [Forward] = [], filter: Filter? = nil,
      inbound: Int? = nil, outbound: Int? = nil
    ) {
      self.id = id
      self.mac = mac
      self.address = address
      self.address6 = address6
      self.hostName = hostName
      self.isConnected = isConnected
      self.forwards = forwards
      self.filter = filter
      self.inbound = inbound
      self.outbound = outbound
    }

    /// The name of its tap, which follows from `id`.
    public var tap: String { "ing" + shortHash(id) }
  }

  /// A name the resolver knows beside the guests' own.
  public struct HostRecord: Hashable, Sendable {
    /// The name: one label, which gets the network's domain too, or several.
    public var name: String
    /// Its IPv4 and IPv6 addresses.
    public var addresses: [String]

    /// Describes a name.
    public init(name: String, addresses: [String]) {
      self.name = name
      self.addresses = addresses
    }
  }

  /// How the network reaches the world; only mode `nat` has one.
  public enum Uplink: Hashable, Sendable {
    /// It does not.
    case none
    /// Through a process with sockets of an ordinary user (slirp4netns).
    case userMode
    /// Through a pair of interfaces and the host's routing: root's way.
    ///
    /// Both are IPv4 addresses of one /30: the host's end and the network's.
    case veth(host: String, guest: String)
  }

  /// The network's name, for messages.
  public var name: String
  /// How the guests are joined.
  public var mode: Mode
  /// The host's bridge; for mode `bridge` alone.
  public var bridge: String?
  /// How it reaches the world.
  public var uplink: Uplink
  /// Its IPv4 addresses.
  public var segment: Segment?
  /// Its IPv6 addresses.
  public var segment6: Segment?
  /// The guests' domain; nil means that their names have none.
  public var domain: String?
  /// Names beside the guests' own.
  public var hosts: [HostRecord]
  /// Resolvers asked for all other names; none means the uplink's.
  public var forwarders: [String]
  /// The largest packet, in bytes.
  public var mtu: Int
  /// The interfaces on it.
  public var ports: [Port]

  /// Describes a network.
  public init(
    name: String, mode: Mode, bridge: String? = nil, uplink: Uplink = .none,
    segment: Segment? = nil, segment6: Segment? = nil, domain: String? = nil,
    hosts: [HostRecord] = [], forwarders: [String] = [], mtu: Int = 1500, ports: [Port] = []
  ) {
    self.name = name
    self.mode = mode
    self.bridge = bridge
    self.uplink = uplink
    self.segment = segment
    self.segment6 = segment6
    self.domain = domain
    self.hosts = hosts
    self.forwarders = forwarders
    self.mtu = mtu
    self.ports = ports
  }
}

/// 11 hexadecimal digits of a text's FNV-1a hash: what with three letters fills an interface's name.
package func shortHash(_ text: String) -> String {
  var hash: UInt64 = 0xcbf2_9ce4_8422_2325
  for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
  // Folded, as its authors ask for where a part is taken.
  let folded = (hash >> 44) ^ (hash & (1 << 44 - 1))
  let digits = String(folded, radix: 16)
  return String(repeating: "0", count: max(0, 11 - digits.utf8.count)) + digits
}
