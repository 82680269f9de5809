internal import EngineInterface
internal import JSON
internal import Resources

/// The tables of `get`: one a kind.
struct GetView {
  /// Seconds since 1970, for ages.
  var now: Int64
  /// Whether all columns are shown.
  var isWide: Bool
  /// The names of the machines that use a volume, by its name.
  var volumeUsers: [String: [String]] = [:]
  /// The names of the machines that are plugged into a network, by its name.
  var networkUsers: [String: [String]] = [:]

  /// The table of one kind.
  func table(_ kind: Kind, _ resources: [ObservedResource]) -> Table {
    let columns = columns(of: kind).filter { isWide || !$0.isWide }
    return Table(
      columns: columns.map { Table.Column($0.title, elastic: $0.isElastic) },
      rows: resources.map { resource in columns.map { $0.cell(resource) } })
  }

  /// A column: its title and what stands in it.
  private struct Column {
    var title: String
    var isWide = false
    var isElastic = false
    var cell: (ObservedResource) -> Table.Cell
  }

  private func columns(of kind: Kind) -> [Column] {
    let name = Column(title: "NAME", isElastic: true) { Table.Cell($0.resource.id.name, .strong) }
    let age = Column(title: "AGE") { resource in
      Table.Cell(resource.isBuiltIn ? "-" : ageText(now - resource.created))
    }
    let middle: [Column] =
      switch kind {
      case .virtualMachine: machineColumns
      case .image: imageColumns
      case .volume: volumeColumns
      case .network: networkColumns
      case .securityGroup: securityGroupColumns
      case .resourcePool: resourcePoolColumns
      case .storagePool: storagePoolColumns
      }
    let set = Column(title: "SET", isWide: true) { Table.Cell($0.resource.set ?? "-") }
    return [name] + middle + [set, age]
  }

  private var machineColumns: [Column] {
    [
      Column(title: "STATE") { stateCell($0) },
      Column(title: "READY") { resource in
        resource.machine?.isReady == true ? Table.Cell("yes", .good) : Table.Cell("no", .caution)
      },
      Column(title: "STAGE") { stageCell($0.machine?.boot) },
      Column(title: "CPU") { text($0, "cpu.count") },
      Column(title: "MEMORY") { text($0, "memory.guest") },
      Column(title: "ADDRESSES", isElastic: true) { resource in
        list(isWide ? resource.machine?.addresses ?? [] : MachineAddresses.reachable(resource))
      },
      Column(title: "PORTS", isElastic: true) { list(MachinePorts.texts($0)) },
      Column(title: "ACCEL", isWide: true) { Table.Cell($0.machine?.accelerator ?? "-") },
      Column(title: "PID", isWide: true) { resource in
        Table.Cell(resource.machine?.processID.map(String.init) ?? "-")
      },
      Column(title: "IMAGE", isWide: true) { Table.Cell(bootImage($0) ?? "-") },
      Column(title: "RESTARTS", isWide: true) { Table.Cell(String($0.machine?.restarts ?? 0)) },
      Column(title: "RESTART-REQUIRED", isWide: true, isElastic: true) { resource in
        list(resource.machine?.restartRequired ?? [])
      },
    ]
  }

  private var imageColumns: [Column] {
    [
      Column(title: "STATE") { stateCell($0) },
      Column(title: "SIZE") { size($0.details["virtualSize"]) },
      Column(title: "DIGEST") { Table.Cell(shortDigest($0.details["digest"]?.string)) },
      Column(title: "BOOT") { text($0, "boot") },
      Column(title: "MODE", isWide: true) { text($0, "mode") },
      Column(title: "POOL", isWide: true) { text($0, "pool") },
    ]
  }

  private var volumeColumns: [Column] {
    [
      Column(title: "STATE") { stateCell($0) },
      Column(title: "SIZE") { text($0, "size") },
      Column(title: "FORMAT") { text($0, "format") },
      Column(title: "POOL") { text($0, "pool") },
      Column(title: "USED-BY", isElastic: true) { resource in
        list(volumeUsers[resource.resource.id.name] ?? [])
      },
    ]
  }

  private var networkColumns: [Column] {
    func column(
      _ title: String, isWide: Bool = false, _ texts: @escaping (NetworkDetails) -> [String]
    ) -> Column {
      Column(title: title, isWide: isWide) { list(texts(NetworkDetails($0))) }
    }
    return [
      Column(title: "STATE") { stateCell($0) },
      Column(title: "MODE") { text($0, "mode") },
      column("SUBNET") { $0.subnets.filter { !$0.contains(":") } },
      Column(title: "MEMBERS") { resource in
        Table.Cell(String(networkUsers[resource.resource.id.name]?.count ?? 0))
      },
      column("IPV6", isWide: true) { $0.subnets.filter { $0.contains(":") } },
      column("GATEWAY", isWide: true) { $0.gateways },
      column("UPLINK", isWide: true) { [$0.uplink].compactMap { $0 } },
      column("DOMAIN", isWide: true) { [$0.domain].compactMap { $0 } },
    ]
  }

  private var securityGroupColumns: [Column] {
    [
      Column(title: "STATE") { stateCell($0) },
      Column(title: "INGRESS") { rules($0, "ingress") },
      Column(title: "EGRESS") { rules($0, "egress") },
    ]
  }

  private var resourcePoolColumns: [Column] {
    [
      Column(title: "STATE") { stateCell($0) },
      Column(title: "PARENT") { text($0, "parent") },
      Column(title: "CPU-RESERVED") { text($0, "cpu.reservation") },
      Column(title: "CPU-LIMIT") { text($0, "cpu.limit") },
      Column(title: "MEMORY-RESERVED") { text($0, "memory.reservation") },
      Column(title: "MEMORY-LIMIT") { text($0, "memory.limit") },
      Column(title: "CPU-SHARES", isWide: true) { text($0, "cpu.shares") },
      Column(title: "MEMORY-SHARES", isWide: true) { text($0, "memory.shares") },
    ]
  }

  private var storagePoolColumns: [Column] {
    [
      Column(title: "STATE") { stateCell($0) },
      Column(title: "PATH", isElastic: true) { resource in
        Table.Cell(
          resource.details["path"]?.string ?? resource.resource.spec["path"]?.string ?? "-")
      },
    ]
  }

  private func size(_ value: JSONValue?) -> Table.Cell {
    Table.Cell(value?.integer.map(sizeText) ?? "-")
  }

  /// How many rules allow something in a direction, or that everything is allowed.
  private func rules(_ resource: ObservedResource, _ direction: String) -> Table.Cell {
    let spec = resource.resource.spec
    if spec["default"]?[direction] == "Allow" { return "all" }
    let count = spec[direction]?.array?.count ?? 0
    return Table.Cell(count == 0 ? "none" : "\(count) rule\(count == 1 ? "" : "s")")
  }

  private func list(_ items: [String]) -> Table.Cell {
    Table.Cell(items.isEmpty ? "-" : items.joined(separator: ","))
  }

  /// A field of the specification in the unit people write.
  private func text(_ resource: ObservedResource, _ path: String) -> Table.Cell {
    var value: JSONValue? = resource.resource.spec
    for name in path.split(separator: ".") { value = value?[String(name)] }
    guard let value, !value.isNull else { return "-" }
    if let items = value.array { return list(items.compactMap(\.string)) }
    return Table.Cell(Schema.table(for: resource.resource.id.kind).text(of: value, at: path))
  }

  private func bootImage(_ resource: ObservedResource) -> String? {
    resource.resource.spec["disks"]?.array?.first?["image"]?.string
  }

  private func shortDigest(_ digest: String?) -> String {
    guard let digest else { return "-" }
    let bare = digest.split(separator: ":").last.map(String.init) ?? digest
    return String(bare.prefix(12))
  }
}

/// How far a guest came in a word, painted.
private func stageCell(_ boot: BootProgress?) -> Table.Cell {
  guard let boot else { return "-" }
  return Table.Cell(boot.stage.rawValue, boot.isStuck ? .bad : .plain)
}

/// The state of a resource in a word, painted.
func stateCell(_ resource: ObservedResource) -> Table.Cell {
  switch resource.phase {
  case .incomplete: return Table.Cell("Incomplete", .caution)
  case .failed: return Table.Cell("Failed", .bad)
  case .ready: break
  }
  if resource.resource.id.kind == .network, let state = resource.details["state"]?.string {
    return networkStateCell(state, hasProblem: resource.details["problem"]?.string != nil)
  }
  guard let machine = resource.machine else { return Table.Cell("Ready", .good) }
  switch machine.state {
  case .running: return Table.Cell(machine.state.rawValue, .good)
  case .halted: return Table.Cell(machine.state.rawValue)
  case .starting, .paused, .stopping: return Table.Cell(machine.state.rawValue, .caution)
  case .crashed, .backOff, .unresponsive: return Table.Cell(machine.state.rawValue, .bad)
  }
}

/// The state of a network that has processes of its own.
private func networkStateCell(_ state: String, hasProblem: Bool) -> Table.Cell {
  switch state {
  case "up": Table.Cell("Up", hasProblem ? .caution : .good)
  case "building": Table.Cell("Building", .caution)
  case "failed": Table.Cell("Failed", .bad)
  case "down": Table.Cell("Down")
  // A word that this version doesn't know is shown as it came.
  default: Table.Cell(state)
  }
}
