internal import EngineInterface
internal import JSON
internal import Planning
internal import Resources
internal import SystemIO

extension HostMap {
  /// The map of what an engine holds.
  ///
  /// Built-in pools and networks are only drawn where something is in them.
  ///
  /// - Parameters:
  ///   - scope: what is wanted; what it refers to is drawn too.
  ///   - hostName: how the host is called.
  /// - Throws: `SpecificationError` where a record doesn't read.
  init(_ observed: ObservedState, scope: PlanScope, hostName: String) throws {
    let chosen = Set(scope.chosen(observed.resources.map(\.resource)).map(\.id))
    let resources = observed.resources.filter { chosen.contains($0.resource.id) }
    let volumes = Self.volumeSizes(observed)
    let placed = try resources.filter { $0.resource.id.kind == .virtualMachine }
      .map { try Placed($0, volumes) }
    let used = Set(placed.flatMap { $0.machine.interfaces.map(\.network) })
    networks = resources.filter {
      $0.resource.id.kind == .network && (!$0.isBuiltIn || used.contains($0.resource.id.name))
    }.map(Network.init)
    let pools = resources.filter { $0.resource.id.kind == .resourcePool && !$0.isBuiltIn }
    let names = Set(pools.map(\.resource.id.name))
    var host = Pool(
      name: hostName,
      facts: [
        counted(Int(observed.host.cpuMillicores / 1000), "CPU"),
        "\(sizeText(observed.host.memory)) memory",
      ])
    // A machine in a pool that isn't drawn stands on the host itself.
    host.machines = placed.filter { !names.contains($0.pool) }.map(\.machine)
    host.pools = try pools.filter { !names.contains(Self.parent(of: $0) ?? "") }
      .map { try Self.pool($0, pools, placed) }
    self.host = host
  }

  /// A pool with what is in it; an engine holds no circles of pools.
  private static func pool(
    _ resource: ObservedResource, _ all: [ObservedResource], _ placed: [Placed]
  ) throws -> Pool {
    let name = resource.resource.id.name
    return Pool(
      name: name, facts: try facts(of: resource.resource),
      machines: placed.filter { $0.pool == name }.map(\.machine),
      pools: try all.filter { parent(of: $0) == name }.map { try pool($0, all, placed) })
  }

  private static func parent(of pool: ObservedResource) -> String? {
    pool.resource.spec["parent"]?.string
  }

  private static func facts(of pool: Resource) throws -> [String] {
    let spec = try ResourcePoolSpecification(pool.spec)
    func amounts(_ cpu: Int64?, _ memory: Int64?) -> String? {
      let parts = [
        cpu.map { $0 == 1000 ? "1 CPU" : Quantity.text(millicores: $0) + " CPUs" },
        memory.map { Quantity.text(bytes: $0) },
      ].compactMap { $0 }
      return parts.isEmpty ? nil : parts.joined(separator: " and ")
    }
    func some(_ amount: Int64) -> Int64? { amount > 0 ? amount : nil }
    return [
      amounts(spec.cpu.limit, spec.memory.limit).map { "at most \($0)" },
      amounts(some(spec.cpu.reservation), some(spec.memory.reservation)).map { "\($0) guaranteed" },
    ].compactMap { $0 }
  }

  private static func volumeSizes(_ observed: ObservedState) -> [String: Int64] {
    var sizes: [String: Int64] = [:]
    for volume in observed.resources where volume.resource.id.kind == .volume {
      sizes[volume.resource.id.name] = volume.resource.spec["size"]?.integer
    }
    return sizes
  }

  /// A machine and the pool it is billed to.
  private struct Placed {
    var machine: Machine
    var pool: String

    init(_ resource: ObservedResource, _ volumeSizes: [String: Int64]) throws {
      let spec = try MachineSpecification(resource.resource.spec)
      pool = spec.resourcePool
      var image: String?
      if case .image(let name) = spec.disks.first?.source { image = name }
      machine = Machine(
        name: resource.resource.id.name, state: StateWord(resource),
        isReady: resource.machine?.isReady == true, cpus: spec.cpus, memory: spec.memory,
        image: image,
        disks: spec.disks.map { disk in
          guard case .volume(let name) = disk.source else {
            return Disk(name: disk.name, volume: nil, size: disk.size)
          }
          return Disk(name: disk.name, volume: name, size: disk.size ?? volumeSizes[name])
        },
        interfaces: MachineAddresses.interfaces(resource, spec))
    }
  }
}

extension HostMap.Network {
  /// Reads one; what the engine tells goes before what is declared.
  init(_ resource: ObservedResource) {
    let details = NetworkDetails(resource)
    name = resource.resource.id.name
    mode = resource.resource.spec["mode"]?.string ?? "?"
    state = StateWord(resource)
    problem = details.problem
    subnets = details.subnets
    gateways = details.gateways
    uplink = details.uplink
  }
}

extension StateWord {
  /// The state of a resource.
  init(_ resource: ObservedResource) {
    let cell = stateCell(resource)
    self.init(cell.text, cell.ink)
  }
}
