import EmbeddedEngine
import EngineInterface
import FaultPoints
import FaultScenarios
import JSON
import Planning
import Resources
import SystemIO

// What must hold after a death.
extension FaultRun {
  /// Looks for lies, does the operation again, compares everything, and takes everything away.
  ///
  /// - Parameter victim: who died.
  func check(after victim: FaultPoints.Victim? = nil) async throws {
    let site = try site()
    try await truth(site)
    try await again(site)
    try await truth(site)
    try await settle(after: victim)
    let plan = try await site.plan(scenario.after)
    guard plan.isEmpty else {
      throw Defect("the next plan is not empty: \(plan.actions.map { "\($0.act): \($0.reason)" })")
    }
    let wrong = try await site.engine.audit()
    guard wrong.isEmpty else { throw Defect("after the repair: \(wrong)") }
    try await sockets(site)
    for (path, inode) in kept.sorted(by: { $0.key < $1.key }) where world.inode(path) != inode {
      throw Defect("\(path) is gone or another")
    }
    try await takeAway(site)
  }

  /// Does again what was cut short, or what is to be done instead.
  private func again(_ site: Site) async throws {
    if let repair = scenario.repair { return try await site.perform(repair) }
    do {
      try await site.perform(scenario.operation)
    } catch let error as EngineError where error.code == "not-running" {
      // The guest itself had died.
      guard case .control(let machine, _) = scenario.operation else { throw error }
      try await site.engine.control(machine, .start)
      try await site.perform(scenario.operation)
    }
  }

  /// Waits until each machine does what it should, with the processes that go with that.
  func settle(after victim: FaultPoints.Victim? = nil) async throws {
    let site = try site()
    var problem = ""
    for _ in 0..<200 {
      problem = ""
      let observed = try await site.engine.observe()
      let processes = try world.processes()
      for resource in observed.resources {
        guard let machine = resource.machine else { continue }
        let name = resource.resource.id.name
        let wanted = scenario.states[name]
        if wanted == .running, machine.state == .backOff {
          try await site.engine.control(name, .start)
        }
        let own = processes.filter { $0.machine == resource.uid }.map(\.role)
        let isUp = machine.state == .running || machine.state == .paused
        // A guest that was to be halted may have been dead before: then that is what is told.
        let isDown = victim == .qemu && wanted == .halted && machine.state == .crashed
        if machine.state != wanted, !isDown {
          problem =
            "\(name) is \(machine.state) and not \(wanted?.rawValue ?? "gone"): "
            + (machine.reason ?? "no reason")
        } else if own.count != (isUp ? 2 : 0) || Set(own).count != own.count {
          problem = "\(name) is \(machine.state), its processes are \(own)"
        }
      }
      if problem.isEmpty { return }
      try await Task.sleep(for: .milliseconds(25))
    }
    throw Defect("it does not settle: \(problem)")
  }

  /// Compares what the engine says of machines with the processes there were before and after it
  /// said so.
  ///
  /// A process that is ending has no command line any more, but has not ended yet for its parent:
  /// what seems to be dead is looked at twice.
  private func truth(_ site: Site, isSecond: Bool = false) async throws {
    let before = try world.processes()
    let observed = try await site.engine.observe()
    let after = try world.processes()
    for resource in observed.resources {
      guard let machine = resource.machine else { continue }
      let old = before.filter { $0.role == .guest && $0.machine == resource.uid }
      let new = after.filter { $0.role == .guest && $0.machine == resource.uid }
      if new.count > 1 { throw Defect("two guests of one machine: \(new)") }
      switch machine.state {
      case .halted, .crashed, .backOff:
        let living = Set(old).intersection(new)
        if !living.isEmpty { throw Defect("a lie: \(machine.state) while \(living) lives") }
      case .running, .paused, .unresponsive:
        guard old.isEmpty, new.isEmpty else { break }
        if isSecond { throw Defect("a lie: \(machine.state) while it is dead") }
        try await Task.sleep(for: .milliseconds(50))
        return try await truth(site, isSecond: true)
      case .starting, .stopping: break
      }
    }
  }

  /// Compares what machines do with their monitors' locks and the sockets of their ports; those of
  /// monitors are the audit's affair.
  private func sockets(_ site: Site) async throws {
    for resource in try await site.engine.observe().resources {
      guard let machine = resource.machine else { continue }
      let lock = "\(Site.home(of: root))/machines/\(resource.uid)/monitor.lock"
      let isUp = machine.state == .running || machine.state == .paused
      guard try FileLock.isHeld(lock) == isUp else {
        throw Defect("\(resource.resource.id) is \(machine.state): its lock says otherwise")
      }
      for member in resource.details["ports"]?.object?.members ?? [] {
        let port = member.value.string ?? ""
        guard world.answers(port) == isUp else {
          throw Defect("\(resource.resource.id) is \(machine.state): \(port) says otherwise")
        }
      }
    }
  }

  private func takeAway(_ site: Site) async throws {
    try await site.perform(.destroy)
    let wrong = try await site.engine.audit()
    guard wrong.isEmpty else { throw Defect("after everything was deleted: \(wrong)") }
    let left = try await site.engine.observe().resources.filter { !$0.isBuiltIn }
    guard left.isEmpty else { throw Defect("not deleted: \(left.map(\.resource.id))") }
    guard world.remains().isEmpty else { throw Defect("files are left: \(world.remains())") }
    guard try await within(milliseconds: 2000, { try world.processes().isEmpty }) else {
      throw Defect("processes are left: \(try world.processes())")
    }
  }
}
