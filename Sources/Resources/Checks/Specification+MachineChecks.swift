internal import Diagnostics
internal import JSON

extension Specification {
  static func problems(_ machine: MachineSpecification) -> [Diagnostic] {
    sizeProblems(machine) + diskProblems(machine) + portProblems(machine)
      + machine.interfaces.flatMap {
        repetitions($0.securityGroups, "spec.interfaces[\($0.name)].securityGroups")
      }
  }

  private static func sizeProblems(_ machine: MachineSpecification) -> [Diagnostic] {
    var found: [Diagnostic] = []
    if machine.maximumCPUs < machine.cpus {
      found.append(
        conflict(
          "a maximum of \(machine.maximumCPUs) is below the count of \(machine.cpus)",
          "spec.cpu.max", help: "raise it to \(machine.cpus) or leave it out"))
    }
    if machine.cpuReservation > Int64(machine.maximumCPUs) * 1000 {
      found.append(
        conflict(
          "a reservation of \(Quantity.text(millicores: machine.cpuReservation)) is more than"
            + " \(machine.maximumCPUs) processors can use", "spec.cpu.reservation"))
    }
    if machine.maximumMemory < machine.memory {
      found.append(
        conflict(
          "a maximum of \(Quantity.text(bytes: machine.maximumMemory)) is below the guest's"
            + " \(Quantity.text(bytes: machine.memory))", "spec.memory.max",
          help: "raise it or leave it out"))
    }
    if machine.memoryReservation > machine.maximumMemory {
      found.append(
        conflict(
          "a reservation of \(Quantity.text(bytes: machine.memoryReservation)) is more than the"
            + " guest's \(Quantity.text(bytes: machine.maximumMemory))", "spec.memory.reservation"))
    }
    return found
      + [
        wholeMebibytes(machine.memory, "spec.memory.guest"),
        wholeMebibytes(machine.maximumMemory, "spec.memory.max"),
      ].compactMap { $0 }
  }

  private static func wholeMebibytes(_ size: Int64, _ path: String) -> Diagnostic? {
    size % (1 << 20) == 0
      ? nil
      : Diagnostic(
        "invalid-value", "\(Quantity.text(bytes: size)) is no whole number of mebibytes",
        path: path, help: "use Mi or Gi")
  }

  private static func diskProblems(_ machine: MachineSpecification) -> [Diagnostic] {
    var found: [Diagnostic] = []
    var volumes: Set<String> = []
    for disk in machine.disks {
      var path: String { "spec.disks[\(disk.name)]" }
      switch disk.source {
      case .volume(let volume):
        if disk.size != nil {
          found.append(
            conflict(
              "the size of a volume is its own", path + ".size",
              help: "remove 'size' here and write it in Volume/\(volume)"))
        }
        if !volumes.insert(volume).inserted {
          found.append(conflict("the volume '\(volume)' is used twice", path + ".volume"))
        }
      case .empty where disk.size == nil:
        found.append(
          conflict(
            "a disk without image and volume needs 'size'", path,
            help: "write 'image', 'volume' or 'size'"))
      default: break
      }
      if let problem = disk.size.flatMap({ wholeSectors($0, "\(path).size") }) {
        found.append(problem)
      }
    }
    return found + bootProblems(machine)
  }

  private static func bootProblems(_ machine: MachineSpecification) -> [Diagnostic] {
    guard let first = machine.disks.first else {
      return [
        conflict(
          "the machine has no disk to boot from", "spec.disks",
          help: "write for example 'disks: [{name: root, image: debian-12}]'")
      ]
    }
    if case .image = first.source { return [] }
    guard machine.boot == .direct else { return [] }
    return [
      conflict(
        "direct boot takes the kernel from the first disk's image, and '\(first.name)' has none",
        "spec.disks[\(first.name)]",
        help: "put a disk with 'image' first, or write 'firmware: {boot: bios}'")
    ]
  }

  private static func portProblems(_ machine: MachineSpecification) -> [Diagnostic] {
    var seen: Set<[String]> = []
    var found: [Diagnostic] = []
    for interface in machine.interfaces {
      for port in interface.ports {
        guard let host = port.host else { continue }
        if seen.insert([port.networkProtocol, port.address, String(host)]).inserted { continue }
        found.append(
          Diagnostic(
            "duplicate-port", "\(port.networkProtocol) port \(port.address):\(host) is used twice",
            path: "spec.interfaces[\(interface.name)].ports"
              + "[\(port.guest)/\(port.networkProtocol)].host", help: "choose another port"))
      }
    }
    return found
  }

  /// A disk's `image` and `volume` and a probe's ways are read off the values, for the typed
  /// specification holds one of each alone.
  static func choiceProblems(_ spec: JSONValue) -> [Diagnostic] {
    var found: [Diagnostic] = []
    for disk in spec["disks"]?.array ?? [] where disk["image"] != nil && disk["volume"] != nil {
      found.append(
        conflict(
          "a disk is made from an image or is a volume, not both",
          "spec.disks[\(disk["name"]?.string ?? "")].volume", help: "remove 'image' or 'volume'"))
    }
    found += secretProblems(spec["cloudInit"] ?? [:])
    if let probe = spec["readinessProbe"] {
      let ways = ["guestAgent", "tcp", "exec", "console"].filter { probe[$0] != nil }
      if ways.count != 1 {
        found.append(
          conflict(
            ways.isEmpty
              ? "the probe has no way to find out" : "the probe has \(ways.count) ways to find out",
            "spec.readinessProbe", help: "write exactly one of guestAgent, tcp, exec, console"))
      }
    }
    return found
  }

  private static func secretProblems(_ cloudInit: JSONValue) -> [Diagnostic] {
    var found: [Diagnostic] = []
    let secrets = cloudInit["secrets"]?.array ?? []
    for secret in secrets {
      let ways = ["file", "env", "command"].filter { secret[$0] != nil }
      var path: String { "spec.cloudInit.secrets[\(secret["name"]?.string ?? "")]" }
      if ways.count != 1 {
        found.append(
          conflict(
            ways.isEmpty ? "the secret has no source" : "the secret has \(ways.count) sources",
            path,
            help: "write exactly one of file, env, command"))
      } else if secret["command"]?.array?.isEmpty == true {
        found.append(conflict("the command is empty", path + ".command", help: "name a program"))
      }
    }
    let names = secrets.compactMap { $0["name"]?.string }
    for part in ["userData", "networkData"] {
      var reported: Set<String> = []
      for name in ReferenceText.secrets(in: cloudInit[part] ?? [:])
      where !names.contains(name) && reported.insert(name).inserted {
        found.append(
          Diagnostic(
            "missing-reference", "there is no secret '\(name)'", path: "spec.cloudInit.\(part)",
            help: nearest(to: name, among: names).map { "did you mean '\($0)'?" }
              ?? "declare it under cloudInit.secrets, or write '$${secret.' for the text itself"))
      }
    }
    return found
  }
}
