internal import EngineInterface
internal import JSON
internal import QEMU
internal import Resources

// What was done to a running guest's machine by another way than ingot: by its own hand, as when a
// guest ejects a device, or over QMP.
extension Hardware {
  /// What differs from the specification that is in effect.
  ///
  /// What the guest is slow to take is no drift, nor is what can't be asked for: the cable of a
  /// network card, the host's ports.
  func drift(from spec: MachineSpecification) -> [Drift] {
    processorDrift(spec) + memoryDrift(spec) + diskDrift(spec) + interfaceDrift(spec)
  }

  private func processorDrift(_ spec: MachineSpecification) -> [Drift] {
    guard processorCount != spec.cpus else { return [] }
    return [
      Drift(
        path: "cpu.count", applied: .integer(Int64(spec.cpus)),
        actual: .integer(Int64(processorCount)),
        effect: processorCount < spec.cpus && spec.cpus <= processors.count ? .live : .nextBoot)
    ]
  }

  private func memoryDrift(_ spec: MachineSpecification) -> [Drift] {
    let more = max(0, Int(clamping: spec.memory) - baseMemory)
    let wanted = min(more / memoryStep * memoryStep, pluggableMemory)
    guard wanted != requestedMemory else { return [] }
    return [
      Drift(
        path: "memory.guest", applied: .integer(spec.memory), actual: .integer(Int64(memory)),
        effect: .live)
    ]
  }

  private func diskDrift(_ spec: MachineSpecification) -> [Drift] {
    var found: [Drift] = []
    for disk in spec.disks where !has(device: "\(disk.blockNode)-device") {
      let value: JSONValue = ["name": .string(disk.name)]
      found.append(
        Drift(path: "disks[\(disk.name)]", applied: value, actual: nil, effect: plugging))
    }
    for disk in spec.disks {
      guard let limits = limits["\(disk.blockNode)-device"] else { continue }
      let pairs = [
        ("bandwidth", disk.bandwidthLimit ?? 0, Int64(limits.bytesPerSecond)),
        ("iops", disk.requestLimit ?? 0, Int64(limits.operationsPerSecond)),
      ]
      for (name, applied, actual) in pairs where applied != actual {
        found.append(
          Drift(
            path: "disks[\(disk.name)].limits.\(name)",
            applied: applied == 0 ? nil : .integer(applied),
            actual: actual == 0 ? nil : .integer(actual), effect: .live))
      }
    }
    return found + strangers(Set(spec.disks.map(\.blockNode)), "disk-", "disks")
  }

  private func interfaceDrift(_ spec: MachineSpecification) -> [Drift] {
    spec.interfaces.filter { !has(device: "\($0.netNode)-device") }.map { interface in
      Drift(
        path: "interfaces[\(interface.name)]", applied: ["name": .string(interface.name)],
        actual: nil, effect: plugging)
    } + strangers(Set(spec.interfaces.map(\.netNode)), "net-", "interfaces")
  }

  private func strangers(_ known: Set<String>, _ prefix: String, _ list: String) -> [Drift] {
    strangers(known, prefix).map { id in
      let name = String(id.dropFirst(prefix.count))
      return Drift(
        path: "\(list)[\(name)]", applied: nil, actual: ["name": .string(name)], effect: .live)
    }
  }

  private var plugging: Effect { freePorts == 0 ? .nextBoot : .live }
}
