public import JSON

/// A QMP command.
public struct QMPCommand: Sendable, Hashable {
  /// A place for a guest in a network.
  public struct Tap: Sendable, Hashable {
    /// The path of the network's directory.
    public var network: String
    /// The network's name of the tap.
    public var port: String

    /// Names a place.
    public init(network: String, port: String) {
      self.network = network
      self.port = port
    }
  }

  /// Its name.
  public var name: String
  /// Its arguments.
  public var arguments: JSONObject
  /// The tap that its argument `fd` names: to be opened and passed with `getfd` before it is sent.
  public var tap: Tap?

  /// Makes a command.
  public init(_ name: String, _ arguments: JSONObject = JSONObject(), tap: Tap? = nil) {
    self.name = name
    self.arguments = arguments
    self.tap = tap
  }
}

/// One thing to be done to a running guest's machine.
public enum HardwareChange: Sendable, Hashable {
  /// One more processor, the one at this place.
  case addProcessor(Hardware.Processor)
  /// Memory: what the memory device gives and what the balloon leaves, in bytes.
  case setMemory(requested: Int, balloon: Int)
  /// Take away the disk of this name in QMP.
  case unplugDisk(String)
  /// Add a disk.
  case plugDisk(MachineSpec.Disk)
  /// Bound a disk's speed.
  case limitDisk(MachineSpec.Disk)
  /// Take away the network card of this name in QMP.
  case unplugInterface(String)
  /// Add a network card.
  case plugInterface(MachineSpec.Interface)
  /// Plug a network card's cable in, or out.
  case setLink(MachineSpec.Interface)
}

extension HardwareChange {
  /// What makes a running machine what it is to be: processors only ever come, what goes goes first.
  ///
  /// - Parameters:
  ///   - hardware: what it is made of now.
  ///   - before: what it was last said to be, for what QEMU does not tell.
  ///   - after: what it is to be; a plugged disk or network card that is not in it goes.
  ///   - kept: disks and network cards, by their names in QMP, that stay all the same.
  public static func changes(
    _ hardware: Hardware, from before: MachineSpec, to after: MachineSpec,
    keeping kept: Set<String> = []
  ) -> [HardwareChange] {
    let disks = after.disks.filter { $0.device == .virtio }
    return processors(hardware, after) + memory(hardware, before, after)
      + hardware.strangers(kept.union(disks.map(\.id)), "disk-").map { .unplugDisk($0) }
      + hardware.strangers(kept.union(after.interfaces.map(\.id)), "net-").map {
        .unplugInterface($0)
      }
      + plugging(hardware, disks) + plugging(hardware, before, after.interfaces)
  }

  private static func processors(
    _ hardware: Hardware, _ after: MachineSpec
  ) -> [HardwareChange] {
    let wanted = after.cpus - hardware.processorCount
    return hardware.processors.filter { !$0.isPlugged }.prefix(max(0, wanted)).map {
      .addProcessor($0)
    }
  }

  private static func memory(
    _ hardware: Hardware, _ before: MachineSpec, _ after: MachineSpec
  ) -> [HardwareChange] {
    let more = after.memory - hardware.baseMemory
    let steps = max(0, more) / hardware.memoryStep
    let requested = min(steps * hardware.memoryStep, hardware.pluggableMemory)
    let balloon = min(after.memory, hardware.baseMemory)
    // What the balloon is to hold can't be asked for, only how far it has come.
    if requested == hardware.requestedMemory,
      balloon == min(before.memory, hardware.baseMemory)
    {
      return []
    }
    return [.setMemory(requested: requested, balloon: balloon)]
  }

  private static func plugging(
    _ hardware: Hardware, _ disks: [MachineSpec.Disk]
  ) -> [HardwareChange] {
    disks.flatMap { disk -> [HardwareChange] in
      guard hardware.has(device: disk.deviceID) else {
        return [.plugDisk(disk)] + (disk.limits == .init() ? [] : [.limitDisk(disk)])
      }
      let limits = hardware.limits[disk.deviceID] ?? .init()
      return limits == disk.limits ? [] : [.limitDisk(disk)]
    }
  }

  private static func plugging(
    _ hardware: Hardware, _ before: MachineSpec, _ interfaces: [MachineSpec.Interface]
  ) -> [HardwareChange] {
    interfaces.flatMap { interface -> [HardwareChange] in
      guard hardware.has(device: interface.deviceID) else {
        return [.plugInterface(interface)] + (interface.isConnected ? [] : [.setLink(interface)])
      }
      let wasConnected = before.interfaces.first { $0.id == interface.id }?.isConnected ?? true
      return wasConnected == interface.isConnected ? [] : [.setLink(interface)]
    }
  }

  /// The commands that do it, in order; what a cut-short attempt left is not made twice.
  ///
  /// A device that is taken away leaves when the guest lets go of it; `clearing` is for then.
  ///
  /// - Parameter port: a free port; needed for what is plugged in.
  public func commands(_ hardware: Hardware, port: String) -> [QMPCommand] {
    switch self {
    case .addProcessor(let processor):
      var arguments = processor.place
      arguments["driver"] = .string(processor.driver)
      arguments["id"] = .string("cpu-\(hardware.processorCount)")
      return [QMPCommand("device_add", arguments)]
    case .setMemory(let requested, let balloon):
      var commands = [QMPCommand("balloon", ["value": .integer(Int64(balloon))])]
      if hardware.pluggableMemory > 0 {
        commands.append(
          QMPCommand(
            "qom-set",
            [
              "path": .string("/machine/peripheral/\(MachineSpec.memoryDevice)"),
              "property": "requested-size", "value": .integer(Int64(requested)),
            ]))
      }
      return commands
    case .plugDisk(let disk):
      let nodes = disk.blockNodes.filter {
        !hardware.blockNodes.contains($0["node-name"]?.string ?? "")
      }
      return nodes.map { QMPCommand("blockdev-add", $0.object ?? [:]) }
        + [QMPCommand("device_add", disk.device(on: port).object ?? [:])]
    case .limitDisk(let disk): return [disk.limits.command(disk.deviceID)]
    case .plugInterface(let interface):
      return [
        QMPCommand("netdev_add", interface.network, tap: interface.tap),
        QMPCommand("device_add", interface.device(on: port).object ?? [:]),
      ]
    case .setLink(let interface): return [interface.linkCommand]
    case .unplugDisk(let id), .unplugInterface(let id):
      return [QMPCommand("device_del", ["id": .string("\(id)-device")])]
    }
  }

  /// What is behind a device and goes once the device has left, or before it is added again.
  public func clearing(_ hardware: Hardware) -> [QMPCommand] {
    switch self {
    case .unplugDisk(let id):
      // In this order each node comes before those it is made of.
      hardware.blockNodes.filter { $0 == id || $0.hasPrefix("\(id)_") }.sorted().map {
        QMPCommand("blockdev-del", ["node-name": .string($0)])
      }
    case .unplugInterface(let id): [QMPCommand("netdev_del", ["id": .string(id)])]
    case .plugInterface(let interface):
      [QMPCommand("netdev_del", ["id": .string(interface.id)])]
    default: []
    }
  }

  /// Whether it needs a port.
  public var isPlugging: Bool {
    switch self {
    case .plugDisk, .plugInterface: true
    default: false
    }
  }

  /// The device that leaves, when the guest lets go of it.
  public var leaving: String? {
    switch self {
    case .unplugDisk(let id), .unplugInterface(let id): "\(id)-device"
    default: nil
    }
  }
}

extension MachineSpec.DiskLimits {
  /// Sets the limits of a plugged disk.
  fileprivate func command(_ device: String) -> QMPCommand {
    QMPCommand(
      "block_set_io_throttle",
      [
        "id": .string("/machine/peripheral/\(device)/virtio-backend"),
        "bps": .integer(Int64(bytesPerSecond)), "bps_rd": 0, "bps_wr": 0,
        "iops": .integer(Int64(operationsPerSecond)), "iops_rd": 0, "iops_wr": 0,
      ])
  }
}

extension MachineSpec.Interface {
  fileprivate var linkCommand: QMPCommand {
    QMPCommand("set_link", ["name": .string(deviceID), "up": .bool(isConnected)])
  }
}

extension MachineSpec {
  /// What has no place on the command line and is said before the guest runs.
  public var firstCommands: [QMPCommand] {
    disks.filter { $0.device == .virtio && $0.limits != DiskLimits() }.map {
      $0.limits.command($0.deviceID)
    } + interfaces.filter { !$0.isConnected }.map(\.linkCommand)
  }
}
