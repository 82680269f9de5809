import Dispatch
import EmbeddedEngine
import EngineInterface
import FaultPoints
import FaultScenarios
import Glibc
import JSON
import Planning
import Resources
import SystemIO
import TestSupport

/// What is wrong after a death.
struct Defect: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// A run in which nothing died, as its processes came by another way.
struct Unreached: Error, CustomStringConvertible {
  var description: String { "nothing died: the step was not reached" }
}

/// One scenario in a directory of its own, with or without a death.
struct FaultRun {
  let scenario: Scenario
  let root: String
  let programs: ProgramPaths
  let world: World
  /// The files of volumes that must be the same ones in the end, with their inodes.
  private var kept: [String: UInt64] = [:]

  /// What stands in for QEMU, or QEMU itself.
  static func programs(realGuests: Bool) throws -> ProgramPaths {
    ProgramPaths(
      monitor: try BuiltProducts.path(of: "fault-monitor"),
      qemu: realGuests ? "/usr/bin/qemu-system-x86_64" : try BuiltProducts.path(of: "fault-qemu"),
      qemuImage: "/usr/bin/qemu-img")
  }

  /// Makes the directory and brings the engine in it to where the scenario begins.
  init(_ scenario: Scenario, programs: ProgramPaths, accelerator: String?) async throws {
    self.scenario = scenario
    self.programs = programs
    // In memory where there is such a place: a run synchronises a hundred times.
    let place = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    root = "\(place)/ingot-fault-\(HostContext.live().makeUUID().prefix(13))"
    world = World(root: root)
    try makeDirectories(root, permissions: 0o700)
    try replaceFile(root + "/disk.raw", with: BootSector.disk(ending: 1))
    try replaceFile(root + "/other.raw", with: BootSector.disk(ending: 2))
    if scenario.isFirst { return }
    let site = try site()
    if let accelerator { try site.engine.setAcceleratorFact(accelerator) }
    if let place = scenario.firstDeath {
      try await strike(.init(.command, place, occurrence: 1))
    }
    guard !scenario.before.isEmpty else { return }
    try await site.perform(.apply(scenario.before))
    for (machine, verb) in scenario.verbs { try await site.engine.control(machine, verb) }
    let declared = Set(scenario.after.map(\.id))
    for resource in try await site.engine.observe().resources
    where resource.resource.id.kind == .volume && declared.contains(resource.resource.id) {
      if let path = resource.details["path"]?.string { kept[path] = world.inode(path) }
    }
  }

  private func site() throws -> Site { try Site(root: root, programs: programs) }

  /// Ends what runs and removes all files.
  func cleanUp() {
    try? FaultPoints.withdraw(in: root)
    for process in (try? world.processes()) ?? [] { kill(process.id, SIGKILL) }
    try? removeTree(root)
  }

  /// Carries the operation out in a process of its own, in which, or beside which, something dies.
  ///
  /// - Parameters:
  ///   - fault: what dies; nil lets all live and only notes the steps.
  ///   - mustStrike: whether it is wrong where the step is not reached.
  /// - Returns: whether it was.
  @discardableResult
  func strike(
    _ fault: FaultPoints.Fault?, mustStrike isWanted: Bool = true
  ) async throws -> Bool {
    // Whether a command takes its session's file away depends on which thread ends last.
    let isGoodbye = fault?.place.hasSuffix("remove /home/sessions/*") == true
    let mustStrike = isWanted && scenario.isSteady && !isGoodbye
    try FaultPoints.order(fault, in: root)
    defer { try? FaultPoints.withdraw(in: root) }
    try await deal(scenario.blow)
    try judge(try await command(), fault)
    guard fault != nil else {
      // A monitor or guest may come to steps after the command has ended, but those that a look
      // leads to are not the operation's.
      try await quiet()
      try FaultPoints.withdraw(in: root)
      try await settle()
      return false
    }
    // A monitor or guest may come to its step after the command has ended.
    let hasStruck = try await within(milliseconds: mustStrike ? 10_000 : 500) {
      FaultPoints.hasStruck(in: root)
    }
    guard hasStruck || !mustStrike else { throw Unreached() }
    return hasStruck
  }

  /// Waits until no process comes to a step any more.
  private func quiet() async throws {
    var count = -1
    while true {
      let now = FaultPoints.steps(in: root).count
      if now == count { return }
      count = now
      try await Task.sleep(for: .milliseconds(150))
    }
  }

  /// Carries the operation out while all guests there are at a moment are killed.
  ///
  /// - Returns: whether there were any.
  func strikeGuests(afterMilliseconds delay: Int) async throws -> Bool {
    try await deal(scenario.blow)
    async let result = command()
    try await Task.sleep(for: .milliseconds(delay))
    let hasKilled = try await killAll(.guest)
    try judge(try await result, .init(.qemu, "after \(delay) ms", occurrence: 1))
    return hasKilled
  }

  private func deal(_ blow: Scenario.Blow) async throws {
    switch blow {
    case .none: break
    case .killMonitor: try await killAll(.monitor)
    case .killGuest: try await killAll(.guest)
    }
  }

  /// Carries the operation out in a process of its own.
  func command() async throws -> CapturedOutput {
    let request = SpawnRequest(
      try BuiltProducts.path(of: "fault-command"),
      [root, scenario.description, programs.monitor, programs.qemu],
      environment: ["PATH=/usr/bin:/bin", "SWIFT_BACKTRACE=enable=no"])
    return try await onThread { try request.run(milliseconds: 60_000, host: .live()) }
  }

  /// Whether the command ended as it may: well, or where something died with an error.
  private func judge(_ result: CapturedOutput, _ fault: FaultPoints.Fault?) throws {
    let words = String(decoding: result.output + result.errorOutput, as: UTF8.self)
    switch result.end {
    case nil: throw Defect("the command hangs; \(words)")
    case .signalled(SIGKILL) where fault?.victim == .command: break
    case .signalled(let signal): throw Defect("the command died of signal \(signal): \(words)")
    case .exited(let code) where fault == nil && code != 0:
      throw Defect("the command failed without a death: \(words)")
    case .exited: break
    }
  }

  @discardableResult
  private func killAll(_ role: World.Process.Role) async throws -> Bool {
    let processes = try world.processes().filter { $0.role == role }
    for process in processes {
      kill(process.id, SIGKILL)
      while try world.processes().contains(process) {
        try await Task.sleep(for: .milliseconds(2))
      }
    }
    return !processes.isEmpty
  }

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

  /// Does again what was cut short.
  private func again(_ site: Site) async throws {
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
  private func settle(after victim: FaultPoints.Victim? = nil) async throws {
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

  /// Whether something comes to hold in a time.
  private func within(milliseconds: Int, _ holds: () throws -> Bool) async throws -> Bool {
    let deadline = ContinuousClock.now + .milliseconds(milliseconds)
    while try !holds() {
      guard ContinuousClock.now < deadline else { return false }
      try await Task.sleep(for: .milliseconds(5))
    }
    return true
  }

  private func onThread<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      DispatchQueue.global().async { continuation.resume(with: Result(catching: body)) }
    }
  }
}

/// A disk whose boot sector writes to the serial port, enables the power button, waits for it and
/// powers off.
enum BootSector {
  /// - Parameter byte: a byte that does not run, to tell disks apart.
  static func disk(ending byte: UInt8) -> [UInt8] {
    var code: [UInt8] = [0xba, 0xf8, 0x03]
    for character in "READY\r\n".utf8 { code += [0xb0, character, 0xee] }
    // PM1a_EN takes the button; PM1a_STS tells of it; sleep state 5 into PM1a_CNT.
    code += [
      0xfa, 0xba, 0x02, 0x06, 0xb8, 0x00, 0x01, 0xef, 0xba, 0x00, 0x06, 0xed, 0xf6, 0xc4, 0x01,
      0x74, 0xfa, 0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, 0xef, 0xf4, 0xeb, 0xfd,
    ]
    let rest = [UInt8](repeating: 0, count: 509 - code.count) + [byte, 0x55, 0xaa]
    return code + rest + [UInt8](repeating: 0, count: (1 << 20) - 512)
  }
}
