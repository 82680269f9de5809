internal import EngineInterface
internal import Glibc
internal import JSON
internal import Monitor
internal import QEMU
internal import Resources
internal import Supervision
internal import SystemIO

// A running guest's machine: what it is made of, and changing that.
extension EmbeddedEngine {
  /// A change that a running guest did not take, and why.
  struct Untaken: Sendable {
    var change: HardwareChange
    var reason: String
  }

  /// Milliseconds a guest gets to take what is plugged in, or to let go of what is to leave.
  private static let guestPatience = 10_000

  /// Brings a running guest's machine to what it is to be; what is done already is not done again.
  ///
  /// - Parameter kept: what leaves with the next boot only.
  func changeHardware(
    _ client: MonitorClient, from before: MachineSpec, to after: MachineSpec,
    keeping kept: MachineSpecification
  ) throws -> [Untaken] {
    var untaken: [Untaken] = []
    let names = Set(kept.disks.map(\.blockNode) + kept.interfaces.map(\.netNode))
    let changes = HardwareChange.changes(
      try hardware(client), from: before, to: after, keeping: names)
    for change in changes {
      do {
        if let reason = try carryOut(change, client) {
          untaken.append(Untaken(change: change, reason: reason))
        }
      } catch let error as RPCError {
        guard !error.isGone else { throw EngineError("failed", error.description) }
        if case .plugDisk(let disk) = change {
          // A disk that no guest has must not stay open.
          clear(.unplugDisk(disk.id), client, try hardware(client))
        }
        untaken.append(Untaken(change: change, reason: error.description))
      }
    }
    return untaken
  }

  func hardware(_ client: MonitorClient) throws -> Hardware {
    try answered { () throws(RPCError) in try client.hardware() }
  }

  /// - Returns: why the guest has not taken the change yet; nil where it has.
  private func carryOut(_ change: HardwareChange, _ client: MonitorClient) throws -> String? {
    let now = try hardware(client)
    if case .plugInterface = change { clear(change, client, now) }
    guard let port = change.isPlugging ? try freePort(client, now) : "" else {
      return "the running guest has no free port"
    }
    for command in change.commands(now, port: port) {
      do {
        try client.execute(command)
      } catch {
        // It may be on its way out already: that the guest was asked before is an error to QEMU.
        guard change.leaving != nil, !error.isGone else { throw error }
      }
    }
    switch change {
    case .addProcessor: return try bringOnline(client, now.processorCount + 1)
    case .setMemory(let requested, _): return try awaitMemory(client, requested)
    case .unplugDisk, .unplugInterface: return try awaitLeave(change, client)
    default: return nil
    }
  }

  private func freePort(_ client: MonitorClient, _ now: Hardware) throws(RPCError) -> String? {
    for port in now.ports {
      let members = try client.execute(Hardware.occupants(of: port)).array ?? []
      if !members.contains(where: { $0["name"]?.string?.hasPrefix("child[") ?? false }) {
        return port
      }
    }
    return nil
  }

  /// Removes what is behind a device; what is not there needs no removing.
  private func clear(_ change: HardwareChange, _ client: MonitorClient, _ now: Hardware) {
    // A failure shows when the name is used again.
    for command in change.clearing(now) { _ = try? client.execute(command) }
  }

  private func awaitLeave(_ change: HardwareChange, _ client: MonitorClient) throws -> String? {
    guard let device = change.leaving else { return nil }
    let isGone = try waiting { try !hardware(client).has(device: device) }
    guard isGone else { return "the guest has not let go of it" }
    clear(change, client, try hardware(client))
    return nil
  }

  /// Waits until the guest has taken, or given back, memory; its agent helps where it must.
  private func awaitMemory(_ client: MonitorClient, _ requested: Int) throws -> String? {
    var plugged = 0
    let isTaken = try waiting {
      plugged = try hardware(client).pluggedMemory
      if plugged != requested { bringMemoryOnline(client) }
      return plugged == requested
    }
    if isTaken { return nil }
    let (has, wants) = (
      Quantity.text(bytes: Int64(plugged)), Quantity.text(bytes: Int64(requested))
    )
    return "the guest has taken \(has) of \(wants) so far"
  }

  /// Kernels that are not told to use new memory at once leave that to a daemon.
  private func bringMemoryOnline(_ client: MonitorClient) {
    // Without an agent, or one that can't, there is nothing to do but wait.
    guard let blocks = try? client.agent("guest-get-memory-blocks").array else { return }
    let offline = blocks.filter { $0["online"]?.bool == false }.compactMap { block in
      block["phys-index"].map { index -> JSONValue in ["phys-index": index, "online": true] }
    }
    guard !offline.isEmpty else { return }
    _ = try? client.agent("guest-set-memory-blocks", ["mem-blks": .array(offline)])
  }

  /// Has the guest use processors that it was given.
  private func bringOnline(_ client: MonitorClient, _ count: Int) throws -> String? {
    guard try answered({ () throws(RPCError) in try client.status() }).hasAgent else { return nil }
    let isOnline = try waiting {
      // An agent that does not answer is asked again until the time is over.
      guard let processors = try? client.agent("guest-get-vcpus").array else { return false }
      if processors.count(where: { $0["online"]?.bool == true }) >= count { return true }
      let offline = processors.filter { $0["online"]?.bool == false }.compactMap { processor in
        processor["logical-id"].map { id -> JSONValue in ["logical-id": id, "online": true] }
      }
      if !offline.isEmpty {
        _ = try? client.agent("guest-set-vcpus", ["vcpus": .array(offline)])
      }
      return false
    }
    return isOnline ? nil : "the guest has not brought it online"
  }

  private func waiting(_ isDone: () throws -> Bool) throws -> Bool {
    let deadline = host.uptime() + UInt64(Self.guestPatience) * 1_000_000
    var pause: UInt32 = 5000
    while try !isDone() {
      guard host.uptime() < deadline else { return false }
      usleep(pause)
      pause = min(pause * 2, 250_000)
    }
    return true
  }
}

extension EmbeddedEngine.Untaken {
  /// The field that is staged instead.
  var path: String {
    switch change {
    case .addProcessor: "cpu.count"
    case .setMemory: "memory.guest"
    case .unplugDisk(let id): "disks[\(id.dropFirst("disk-".count))]"
    case .plugDisk(let disk): "disks[\(disk.id.dropFirst("disk-".count))]"
    case .limitDisk(let disk): "disks[\(disk.id.dropFirst("disk-".count))].limits"
    case .unplugInterface(let id): "interfaces[\(id.dropFirst("net-".count))]"
    case .plugInterface(let card), .setLink(let card):
      "interfaces[\(card.id.dropFirst("net-".count))]"
    }
  }

  /// Whether it is only a matter of the guest's time: QEMU has done its part.
  var isUnderWay: Bool {
    switch change {
    case .addProcessor, .setMemory: true
    default: false
    }
  }
}
