internal import EngineInterface
internal import Glibc
internal import JSON
internal import Monitor
internal import QEMU
internal import Resources
internal import Supervision
internal import SystemIO

/// What became of a change of a running machine.
struct LiveOutcome: Sendable {
  /// The hardest effect that its fields have.
  var effect = Effect.none
  /// The fields that wait for the next boot.
  var staged: [String] = []
  /// What else there is to say.
  var notes: [String] = []
  /// The guest that was changed; nil where none was there.
  var guest: ProcessIdentity?

  /// The same with what became of differences, some of which wait.
  func telling(_ differences: [Schema.Difference], _ staged: Set<String>) -> LiveOutcome {
    var outcome = self
    outcome.staged = differences.map(\.path).filter(staged.contains)
    let hardest = min(differences.map(\.effect).max() ?? .none, .nextBoot)
    outcome.effect = outcome.staged.isEmpty ? min(hardest, .live) : .nextBoot
    return outcome
  }
}

extension EmbeddedEngine {
  /// Changes what a running guest can have changed at once, and records what is in effect in it.
  ///
  /// To be done before the new configuration is written: the monitor keeps its own copy and writes
  /// it with the new policy. Doing it again changes nothing.
  /// - Returns: nil where the guest turns out to have ended, or to be about to.
  func changeLive(
    _ change: Change, to after: Resource, _ spec: MachineSpecification
  ) throws -> LiveOutcome? {
    guard let client = try attachMonitor(change.uid) else { return nil }
    let status = try answered { () throws(RPCError) in try client.status() }
    if status.isStopping || status.state == .stopped { return nil }
    let row = try store.read { db in try StoredMachine.require(db, change.uid) }
    let schema = Schema.table(for: .virtualMachine)
    let old = try configuration(change.uid)
    let new = try makeConfiguration(
      change.uid, after, generation: change.nextGeneration)
    try answered { () throws(RPCError) in try client.setPolicy(new) }
    // One that is being started is not changed.
    let guest = try hasHardware(status) ? status.started?.process : nil
    guard let running = row.runningSpec, let guest else {
      // There is no guest that could notice; the next start takes it all.
      return LiveOutcome(effect: .live, guest: guest)
    }
    try changeForwards(client, from: old.machine, to: new.machine)
    let now = try MachineSpecification(running)
    let state = LiveState(
      try hardware(client), bootDisk: now.disks.first?.name, hasAgent: status.hasAgent)
    let differences = state.resolved(schema.differences(from: running, to: after.spec))
    var outcome = LiveOutcome(guest: guest)
    var staged = Set(differences.filter { $0.effect >= .nextBoot }.map(\.path))
    // The values of secrets are part of no specification.
    let hasNewSecrets =
      row.runningInputs != change.inputs && !staged.contains { $0.hasPrefix("cloudInit") }
    if hasNewSecrets { staged.insert("cloudInit") }
    if !(change.restart && !staged.isEmpty) {
      let target = try MachineSpecification(
        schema.inEffect(after.spec, from: running, staged: staged))
      for untaken in try changeHardware(
        client, from: old.machine.withMemory(of: now), to: new.machine.limited(to: target),
        keeping: target)
      {
        outcome.notes.append("\(untaken.path): \(untaken.reason)")
        guard !untaken.isUnderWay else { continue }
        staged.formUnion(differences.map(\.path).filter(untaken.concerns))
      }
    }
    let inEffect = schema.inEffect(after.spec, from: running, staged: staged)
    let effective = try MachineSpecification(inEffect)
    try removeLeftDisks(change.uid, keeping: spec.disks + effective.disks)
    let kept = Set(now.interfaces.map(\.name)).intersection(effective.interfaces.map(\.name))
    try store.write { [self] db in
      var row = try StoredMachine.require(db, change.uid)
      row.runningSpec = inEffect
      // What was plugged in just now is on the network as it is defined now.
      row.runningNetworks = row.runningNetworks?.keeping(kept)
      try save(row, db)
    }
    outcome = outcome.telling(differences.filter(asked(of: change, after)), staged)
    if hasNewSecrets, change.before?.inputs != change.inputs || change.restart {
      outcome.staged.append("cloudInit")
      outcome.effect = .nextBoot
    }
    if change.restart {
      // Its networks may have changed since its start, apart from it.
      outcome.staged += try outdatedNetworks(
        of: row, StartMark(status.started?.generation ?? ""), spec
      )
      .filter { !outcome.staged.contains($0) }
    }
    return outcome
  }

  /// How long the networks may take to hand out a guest's taps before its process is there, in
  /// nanoseconds.
  private static let startPatience: UInt64 = 20_000_000_000

  /// Whether a machine has a guest that is not the one that was changed, and was started with what
  /// there was before the change: one that ended meanwhile is started again by its monitor.
  ///
  /// To be asked when the new configuration is written: each later start is by that one.
  func hasBegunBefore(_ change: Change, changed guest: ProcessIdentity?) throws -> Bool {
    guard let client = try attachMonitor(change.uid) else { return false }
    var status = try answered { () throws(RPCError) in try client.status() }
    // Which configuration it has read is known when its process is there.
    let deadline = host.uptime() + Self.startPatience
    while status.state == .starting, status.started == nil {
      guard host.uptime() < deadline else {
        throw EngineError(
          "failed", "the guest of \(change.id) is being started and its process does not come",
          help: "apply it again")
      }
      usleep(10_000)
      status = try answered { () throws(RPCError) in try client.status() }
    }
    guard let started = status.started, started.process != guest else { return false }
    return try started.generation != configuration(change.uid).generation
  }

  /// Whether a difference is this change's own: what waited before is not told again.
  private func asked(of change: Change, _ after: Resource) -> (Schema.Difference) -> Bool {
    guard let before = change.before, change.changesWhole else { return { _ in true } }
    let paths = Set(
      Schema.table(for: .virtualMachine)
        .differences(from: before.resource.spec, to: after.spec).map(\.path))
    return { paths.contains($0.path) || change.restart }
  }

  private func configuration(_ uid: String) throws -> MonitorConfiguration {
    do {
      return try MonitorConfiguration.read(MachineDirectory(home.machine(uid)))
    } catch {
      throw EngineError("failed", "\(error)")
    }
  }

  /// Whether QEMU is there to be asked.
  private func hasHardware(_ status: MonitorStatus) throws -> Bool {
    switch status.state {
    case .running, .paused: true
    case .unresponsive: throw EngineError("unresponsive", "QEMU does not answer", help: "try again")
    case .starting, .backoff, .stopped: false
    }
  }

  private func changeForwards(
    _ client: MonitorClient, from old: MachineSpec, to new: MachineSpec
  ) throws {
    for interface in new.interfaces {
      guard let before = old.interfaces.first(where: { $0.id == interface.id }) else { continue }
      for forward in before.forwards where !interface.forwards.contains(forward) {
        try answered { () throws(RPCError) in
          try client.removeForward(forward, interface: interface.id)
        }
      }
      for forward in interface.forwards where !before.forwards.contains(forward) {
        try answered { () throws(RPCError) in
          try client.addForward(forward, interface: interface.id)
        }
      }
    }
  }
}

extension JSONValue {
  /// The same with these members alone.
  fileprivate func keeping(_ names: Set<String>) -> JSONValue? {
    object.map { .object(JSONObject(members: $0.members.filter { names.contains($0.name) })) }
  }
}

extension MachineSpec {
  /// The same with the memory that a specification says.
  fileprivate func withMemory(of spec: MachineSpecification) -> MachineSpec {
    var machine = self
    machine.memory = Int(clamping: spec.memory)
    return machine
  }

  /// The part of it that is to be in effect now.
  fileprivate func limited(to spec: MachineSpecification) -> MachineSpec {
    var machine = withMemory(of: spec)
    machine.cpus = spec.cpus
    let disks = Set(spec.disks.map(\.blockNode))
    machine.disks.removeAll { $0.device == .virtio && !disks.contains($0.id) }
    let interfaces = Set(spec.interfaces.map(\.netNode))
    machine.interfaces.removeAll { !interfaces.contains($0.id) }
    return machine
  }
}

extension EmbeddedEngine.Untaken {
  /// Whether a difference at a path is (a part of) what was not taken.
  fileprivate func concerns(_ path: String) -> Bool {
    path == self.path || path.hasPrefix(self.path + ".")
  }
}

extension LiveState {
  /// What hardware tells.
  init(_ hardware: Hardware, bootDisk: String?, hasAgent: Bool) {
    self.init(
      processors: Int64(hardware.processorCount),
      maximumProcessors: Int64(hardware.processors.count),
      baseMemory: Int64(hardware.baseMemory),
      maximumMemory: Int64(hardware.baseMemory + hardware.pluggableMemory),
      memoryStep: Int64(hardware.memoryStep),
      freePorts: hardware.freePorts, bootDisk: bootDisk, hasAgent: hasAgent)
  }
}
