public import EngineInterface
internal import GRDB
internal import JSON
internal import Resources
internal import SystemIO

extension EmbeddedEngine {
  /// Everything the engine holds, after it looked at the world; see `Engine`.
  ///
  /// Machines that are known to be down cost nothing but their row.
  public func observe() async throws -> ObservedState {
    try await wrapped("read the engine's state") { [self] in
      try recover()
      let examined = try examineMachines()
      return try store.read { db in try state(db, examined) }
    }
  }

  private func state(
    _ db: Database, _ examined: [String: Examined]
  ) throws -> ObservedState {
    let machines = try StoredMachine.all(db)
    var resources: [ObservedResource] = []
    for row in try StoredResource.all(db) {
      var status: MachineStatus?
      if row.id.kind == .virtualMachine {
        status = machines[row.uid].map { machine in
          guard let look = examined[row.uid] else { return MachineStatus(machine) }
          return look.status(of: row, machine)
        }
      }
      resources.append(
        ObservedResource(
          row.resource, uid: row.uid, generation: row.generation, created: row.created,
          phase: row.phase, reason: row.reason, isBuiltIn: row.isBuiltIn, inputs: row.inputs,
          machine: status, details: row.details))
    }
    return ObservedState(
      engineID: store.engineID, generation: try Store.generation(db), resources: resources,
      host: HostCapacity(
        cpuMillicores: Int64(host.processors) * 1000, memory: Int64(host.memory),
        portsInUse: HostPort.inUse()),
      unsupported: unsupported)
  }

  private var unsupported: [ObservedState.Unsupported] {
    var list = [
      ObservedState.Unsupported(
        kind: .network, path: "spec.mode", values: ["nat", "isolated", "bridge"],
        reason: NetworkHandler.otherModes)
    ]
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
  /// The status with what waits for the next boot.
  func status(of resource: StoredResource, _ machine: StoredMachine) -> MachineStatus {
    var status = status
    if let spec = machine.runningSpec, let runningGeneration,
      runningGeneration != String(resource.generation)
    {
      status.restartRequired = Schema.table(for: .virtualMachine)
        .differences(from: spec, to: resource.resource.spec)
        .filter { $0.effect >= .nextBoot }.map(\.path)
      if machine.runningInputs != resource.inputs,
        !status.restartRequired.contains(where: { $0.hasPrefix("cloudInit") })
      {
        status.restartRequired.append("cloudInit")
      }
    }
    return status
  }
}
