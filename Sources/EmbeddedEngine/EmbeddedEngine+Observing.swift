public import EngineInterface
internal import GRDB
internal import Glibc
internal import JSON
internal import Resources
internal import SystemIO

extension EmbeddedEngine {
  /// Everything the engine holds, after it looked at the world; see `Engine`.
  ///
  /// Machines that are known to be down cost nothing but their row.
  public func observe() async throws -> ObservedState {
    try await wrapped("read the engine's state") { [self] in
      try whereItCanBeWritten { try recover() }
      let examined = try examineMachines()
      settleNetworks(examined)
      let networks = try lookAtNetworks()
      var looks = 0
      while true {
        let (found, facts) = try store.read { db in
          (try state(db, examined, networks), try StorageFacts(db, in: self))
        }
        let findings = try findings(facts)
        looks += 1
        // An act that ended meanwhile may have changed a file; what it did is no drift.
        if findings.isEmpty || looks == 3 { return found.with(findings) }
        let isStale = try store.read(Store.generation) != found.generation
        if !isStale { return found.with(findings) }
      }
    }
  }

  /// Does what a look finds to be done, but for want of space or rights leaves it to a later one:
  /// what there is to tell can be told all the same.
  func whereItCanBeWritten(_ body: () throws -> Void) throws {
    do {
      try body()
    } catch let error as EngineError where error.code == "no-space" || error.code == "denied" {}
  }

  private func state(
    _ db: Database, _ examined: [String: Examined], _ looks: [String: NetworkLook]
  ) throws -> ObservedState {
    let machines = try StoredMachine.all(db)
    let rows = try StoredResource.all(db)
    let networks = Dictionary(
      uniqueKeysWithValues: rows.filter { $0.id.kind == .network }.map {
        ($0.id.name, $0.resource.networkDefinition)
      })
    let plugs = try NetworkFacts(db, rows)
    var resources: [ObservedResource] = []
    for row in rows {
      var status: MachineStatus?
      var drift: [Drift] = []
      var details = row.details
      if row.id.kind == .network, let look = looks[row.uid] {
        details = plugs.details(of: row, look, directory: home.network(row.uid))
        drift = row.phase == .ready ? look.drift : []
      }
      if row.id.kind == .virtualMachine, let machine = machines[row.uid] {
        if let look = examined[row.uid] {
          status = try look.status(of: row, machine, networks)
          drift = try look.drift(of: row, machine)
        } else {
          status = MachineStatus(machine)
        }
        plugs.tell(&status, &details, of: row.uid)
      }
      resources.append(
        ObservedResource(
          row.resource, uid: row.uid, generation: row.generation, created: row.created,
          phase: row.phase, reason: row.reason, isBuiltIn: row.isBuiltIn, inputs: row.inputs,
          machine: status, drift: drift, details: details))
    }
    return ObservedState(
      engineID: store.engineID, generation: try Store.generation(db), resources: resources,
      host: HostCapacity(
        cpuMillicores: Int64(host.processors) * 1000, memory: Int64(host.memory),
        portsInUse: HostPort.inUse()),
      unsupported: unsupported)
  }

  private var unsupported: [ObservedState.Unsupported] {
    var list: [ObservedState.Unsupported] = []
    if !fileExists(programs.network) {
      list.append(
        ObservedState.Unsupported(
          kind: .network, path: "spec.mode", values: ["nat", "isolated", "bridge"],
          reason: "\(programs.network) is missing; install ingot as a whole, or set it to user"))
    } else if geteuid() != 0 {
      list.append(
        ObservedState.Unsupported(
          kind: .network, path: "spec.mode", values: ["bridge"],
          reason: "only root can plug guests into a bridge of the host; "
            + "run ingot as root, or set it to nat"))
    }
    if programs.firmwareCode == nil || programs.firmwareVariables == nil {
      list.append(
        ObservedState.Unsupported(
          kind: .virtualMachine, path: "spec.firmware.boot", values: ["uefi"],
          reason: "the UEFI firmware is not installed; install the package ovmf"))
    }
    return list
  }
}

extension MachineStatus {
  /// What is known of a machine without looking at the world.
  init(_ row: StoredMachine) {
    self.init(state: row.state, reason: row.reason, since: row.since)
  }
}

extension Examined {
  /// Whether the running guest was started with what is stored.
  private func isStarted(with resource: StoredResource) -> Bool {
    running?.specification == resource.resource.mark(resource.generation)
  }

  /// The specification in effect in the running guest.
  private func specification(of resource: StoredResource, _ machine: StoredMachine) -> JSONValue {
    isStarted(with: resource)
      ? resource.resource.spec : machine.runningSpec ?? resource.resource.spec
  }

  /// The status with what waits for the next boot, and what the guest has room for.
  func status(
    of resource: StoredResource, _ machine: StoredMachine, _ networks: [String: JSONValue]
  ) throws -> MachineStatus {
    var status = status
    let spec = specification(of: resource, machine)
    if running != nil {
      // What could take effect at once has: the rest waits.
      status.restartRequired = Schema.table(for: .virtualMachine)
        .differences(from: spec, to: resource.resource.spec)
        .filter { $0.effect > .none }.map(\.path)
      if machine.runningSpec != nil, machine.runningInputs != resource.inputs,
        !isStarted(with: resource),
        !status.restartRequired.contains(where: { $0.hasPrefix("cloudInit") })
      {
        status.restartRequired.append("cloudInit")
      }
      if machine.runningNetworks != nil {
        let spec = try MachineSpecification(resource.resource.spec)
        for path in NetworkDefinitions(spec, { networks[$0] }).outdated(in: running, machine)
        where !status.restartRequired.contains(path) {
          status.restartRequired.append(path)
        }
      }
    }
    status.live = hardware.map { hardware in
      LiveState(
        hardware, bootDisk: spec["disks"]?.array?.first?["name"]?.string, hasAgent: status.hasAgent)
    }
    return status
  }

  /// What the running guest's machine has and should not have, or lacks.
  func drift(of resource: StoredResource, _ machine: StoredMachine) throws -> [Drift] {
    guard let hardware, resource.phase == .ready else { return [] }
    let spec = try MachineSpecification(specification(of: resource, machine))
    return hardware.drift(from: spec)
  }
}
