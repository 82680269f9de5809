internal import Resources

/// What `map` draws: a host with its pools, networks and machines, and who is plugged in where.
struct HostMap: Hashable {
  /// A network: a segment that machines share or, in mode user, one behind each of them.
  struct Network: Hashable {
    /// The name.
    var name: String
    /// How guests reach each other and the world.
    var mode: String
    /// The state in a word.
    var state: StateWord
    /// What keeps it from working, in a sentence; nil where nothing does.
    var problem: String?
    /// The IPv4 and the IPv6 network.
    var subnets: [String]
    /// The host's own addresses in it.
    var gateways: [String]
    /// What leads to the world; nil where nothing does.
    var uplink: String?

    /// Whether machines in it can reach each other.
    var isSegment: Bool { mode != "user" }

    /// The mode, the networks and the way out.
    var facts: [String] {
      let way =
        switch mode {
        case "user": "each machine alone"
        case "isolated": "no way out"
        default: uplink.map { "out by \($0)" }
        }
      return [mode] + subnets + [way].compactMap { $0 }
    }
  }

  /// A network interface.
  struct Interface: Hashable {
    /// The name, unique in the machine.
    var name: String
    /// The network it is plugged into.
    var network: String
    /// Its MAC address, where it is known.
    var mac: String?
    /// The guest's addresses on it, as far as they are known.
    var addresses: [String]
    /// Whether the cable is plugged in.
    var isConnected: Bool
    /// Ports of the host that lead to it.
    var ports: [MachinePorts.Forward]
  }

  /// A disk.
  struct Disk: Hashable {
    /// The name, unique in the machine.
    var name: String
    /// The declared volume; nil for a disk of the machine's own.
    var volume: String?
    /// In bytes; nil where it is the image's.
    var size: Int64?

    /// `root 4Gi`; `data=archive 1Gi` for a volume by another name.
    var text: String {
      let source = volume.flatMap { $0 == name ? nil : "=\($0)" } ?? ""
      return name + source + (size.map { " " + Quantity.text(bytes: $0) } ?? "")
    }
  }

  /// A machine.
  struct Machine: Hashable {
    /// The name.
    var name: String
    /// The state in a word.
    var state: StateWord
    /// Whether it is ready.
    var isReady: Bool
    /// Processors.
    var cpus: Int
    /// In bytes.
    var memory: Int64
    /// The image that it boots from; nil where it boots from none.
    var image: String?
    /// The disks, in order.
    var disks: [Disk]
    /// The interfaces, in order.
    var interfaces: [Interface]

    /// Processors and memory: `2 CPUs, 512Mi`.
    var size: String { "\(counted(cpus, "CPU")), \(Quantity.text(bytes: memory))" }
  }

  /// A resource pool with what is billed to it; the outermost one is the host itself.
  struct Pool: Hashable {
    /// The name.
    var name: String
    /// What it may use at most and what is guaranteed to it, each in some words.
    var facts: [String] = []
    /// The machines that are billed to it, by name.
    var machines: [Machine] = []
    /// The pools below it, by name.
    var pools: [Pool] = []

    /// The machines in it and in the pools below, in the order of drawing.
    var allMachines: [Machine] { machines + pools.flatMap(\.allMachines) }
  }

  /// The networks, by name.
  var networks: [Network]
  /// The host, as the pool above all others.
  var host: Pool
}

/// A state in a word, and how it is painted.
struct StateWord: Hashable {
  /// The word.
  var text: String
  /// How it is painted.
  var ink: Style.Ink

  /// Makes one.
  init(_ text: String, _ ink: Style.Ink = .plain) {
    self.text = text
    self.ink = ink
  }
}
