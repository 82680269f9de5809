public import JSON

/// What a running guest's machine is made of at the moment, as QEMU tells it.
public struct Hardware: Sendable, Hashable {
  /// A place for a processor.
  public struct Processor: Sendable, Hashable {
    /// QEMU's name of the device that fits: `max-x86_64-cpu`.
    public var driver: String
    /// Where it sits: socket, core and thread.
    public var place: JSONObject
    /// Whether there is one.
    public var isPlugged: Bool
  }

  /// The places for processors, in the order in which they are filled.
  public var processors: [Processor]
  /// Memory at start, in bytes.
  public var baseMemory: Int
  /// The room of the memory device, in bytes; 0 where there is none.
  public var pluggableMemory: Int
  /// What the memory device is to give the guest, in bytes.
  public var requestedMemory: Int
  /// What the guest has taken of it, in bytes.
  public var pluggedMemory: Int
  /// The steps in which the memory device gives memory, in bytes.
  public var memoryStep: Int
  /// What the balloon leaves the guest of the memory at start, in bytes; it moves slowly.
  public var balloon: Int
  /// The names of all devices that have one, ports among them.
  public var devices: Set<String>
  /// The limits of plugged disks, by the device's name.
  public var limits: [String: MachineSpec.DiskLimits]
  /// The names of all block nodes.
  public var blockNodes: Set<String>

  /// The commands that tell all of this.
  ///
  /// Devices are asked for by their names, not by `query-pci`: that shows what is behind a port only
  /// once the guest's firmware has numbered the buses.
  public static let queries = [
    QMPCommand("query-hotpluggable-cpus"), QMPCommand("query-memory-size-summary"),
    QMPCommand("query-memory-devices"), QMPCommand("query-balloon"),
    QMPCommand("qom-list", ["path": "/machine/peripheral"]), QMPCommand("query-block"),
    QMPCommand("query-named-block-nodes", ["flat": true]),
  ]

  /// Reads the answers to `queries`, each under its command's name.
  public init(_ answers: JSONReader) throws(JSONShapeError) {
    processors = []
    for item in try answers.member("query-hotpluggable-cpus").list() {
      processors.append(
        Processor(
          driver: try item.member("type").string(),
          place: item.value["props"]?.object ?? [:],
          isPlugged: item.value["qom-path"] != nil))
    }
    processors.sort { $0.order.lexicographicallyPrecedes($1.order) }
    let summary = try answers.member("query-memory-size-summary")
    baseMemory = try summary.member("base-memory").integer(1 ... .max)
    (pluggableMemory, requestedMemory, pluggedMemory, memoryStep) = (0, 0, 0, 1)
    for item in try answers.member("query-memory-devices").list() {
      let data = try item.member("data")
      guard data.value["id"]?.string == MachineSpec.memoryDevice else { continue }
      pluggableMemory = try data.member("max-size").integer(0 ... .max)
      requestedMemory = try data.member("requested-size").integer(0 ... .max)
      pluggedMemory = try data.member("size").integer(0 ... .max)
      memoryStep = try data.member("block-size").integer(1 ... .max)
    }
    // A balloon that the guest has not touched is answered as an error.
    balloon =
      try answers.optional("query-balloon")?.optional("actual")?.integer(0 ... .max) ?? baseMemory
    devices = []
    for item in try answers.member("qom-list").list() {
      devices.insert(try item.member("name").string())
    }
    limits = [:]
    for item in try answers.member("query-block").list() {
      guard let path = item.value["qdev"]?.string, let inserted = item.optional("inserted") else {
        continue
      }
      limits[Self.device(path)] = MachineSpec.DiskLimits(
        bytesPerSecond: try inserted.optional("bps")?.integer(0 ... .max) ?? 0,
        operationsPerSecond: try inserted.optional("iops")?.integer(0 ... .max) ?? 0)
    }
    blockNodes = []
    for item in try answers.member("query-named-block-nodes").list() {
      blockNodes.insert(try item.member("node-name").string())
    }
  }

  /// `/machine/peripheral/NAME/virtio-backend` or the name itself.
  private static func device(_ path: String) -> String {
    let parts = path.split(separator: "/")
    guard let place = parts.firstIndex(of: "peripheral"), place + 1 < parts.count else {
      return path
    }
    return String(parts[place + 1])
  }
}

extension Hardware {
  /// How many processors there are.
  public var processorCount: Int { processors.count { $0.isPlugged } }

  /// The memory the guest is to have, in bytes, apart from what its balloon holds.
  public var memory: Int { baseMemory + requestedMemory }

  /// Whether a device with this name is there, or on its way out.
  public func has(device: String) -> Bool { devices.contains(device) }

  /// The ports, in the order in which they are to be filled.
  ///
  /// Those made for plugging come before ones whose device may have left, since a guest names its
  /// network cards by their place.
  public var ports: [String] {
    devices.filter { $0.hasPrefix("port-") }.sorted { a, b in
      let (left, right) = (a.hasPrefix("port-spare"), b.hasPrefix("port-spare"))
      return left == right ? a < b : left
    }
  }

  /// How many ports have no device: each holds one disk or network card.
  public var freePorts: Int {
    max(0, ports.count - pluggedDevices("disk-").count - pluggedDevices("net-").count)
  }

  /// The names in QMP of plugged disks, or network cards, in order.
  private func pluggedDevices(_ prefix: String) -> [String] {
    devices.filter { $0.hasPrefix(prefix) && $0.hasSuffix("-device") }
      .map { String($0.dropLast("-device".count)) }.sorted()
  }

  /// Those of them that are none of these.
  public func strangers(_ known: Set<String>, _ prefix: String) -> [String] {
    pluggedDevices(prefix).filter { !known.contains($0) }
  }

  /// Asks for what sits in a port: the answer has a member whose name begins with `child[` where
  /// something does.
  public static func occupants(of port: String) -> QMPCommand {
    QMPCommand("qom-list", ["path": .string("/machine/peripheral/\(port)/\(port)")])
  }
}

extension Hardware.Processor {
  /// Its place as numbers, for sorting.
  fileprivate var order: [Int64] {
    ["node-id", "socket-id", "die-id", "core-id", "thread-id"].map { place[$0]?.integer ?? 0 }
  }
}
