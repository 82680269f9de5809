/// The files of one network's directory; the one place that names them.
///
/// | file | written by | what it is |
/// | --- | --- | --- |
/// | `network.json` | engine, durably | `NetworkConfiguration` |
/// | `lock` | supervisor | held while a supervisor runs |
/// | `socket` | supervisor | the RPC; mode 0600 |
/// | `log` | supervisor | what it had to say, for people |
/// | `gate` | gate | its socket; mode 0600 |
/// | `gate.process`, `names.process`, `uplink.process` | supervisor, durably | which processes |
/// | `names.conf` | supervisor | dnsmasq's configuration; a change needs a restart |
/// | `names.d/` | supervisor | what dnsmasq reads again at SIGHUP |
/// | `names.leases` | dnsmasq | who holds which address |
/// | `names.log`, `gate.log`, `uplink.log` | those processes | bounded by the supervisor |
public struct NetworkDirectory: Hashable, Sendable {
  /// The directory.
  public let path: String

  /// Names a directory, which belongs to one network alone.
  public init(_ path: String) { self.path = path }

  /// What the network is to be.
  public var configuration: String { path + "/network.json" }
  /// Held while a supervisor runs.
  public var lock: String { path + "/lock" }
  /// The supervisor's RPC.
  public var socket: String { path + "/socket" }
  /// What the supervisor had to say.
  public var log: String { path + "/log" }
  /// The gate's socket.
  public var gate: String { path + "/gate" }
  /// Which process is the gate.
  public var gateProcess: String { path + "/gate.process" }
  /// Which process is dnsmasq.
  public var namesProcess: String { path + "/names.process" }
  /// Which process is the uplink.
  public var uplinkProcess: String { path + "/uplink.process" }
  /// The gate's standard error.
  public var gateLog: String { path + "/gate.log" }
  /// What dnsmasq had to say.
  public var namesLog: String { path + "/names.log" }
  /// What the uplink had to say.
  public var uplinkLog: String { path + "/uplink.log" }
  /// dnsmasq's configuration.
  public var namesConfiguration: String { path + "/names.conf" }
  /// The directory of what dnsmasq reads again at SIGHUP.
  public var namesRead: String { path + "/names.d" }
  /// The addresses dnsmasq reserves.
  public var namesReservations: String { namesRead + "/reservations" }
  /// The names dnsmasq answers.
  public var namesHosts: String { namesRead + "/hosts" }
  /// Who holds which address.
  public var namesLeases: String { path + "/names.leases" }
}
