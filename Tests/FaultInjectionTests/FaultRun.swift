import Dispatch
import EmbeddedEngine
import EngineInterface
import FaultPoints
import FaultScenarios
import Glibc
import JSON
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
  private(set) var kept: [String: UInt64] = [:]

  /// What stands in for QEMU, or QEMU itself.
  static func programs(realGuests: Bool) throws -> ProgramPaths {
    ProgramPaths(
      monitor: try BuiltProducts.path(of: "fault-monitor"),
      network: try BuiltProducts.path(of: "fault-network"),
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
    // What is destroyed for a while has other files then.
    let declared = scenario.repair == nil ? Set(scenario.after.map(\.id)) : []
    for resource in try await site.engine.observe().resources
    where resource.resource.id.kind == .volume && declared.contains(resource.resource.id) {
      if let path = resource.details["path"]?.string { kept[path] = world.inode(path) }
    }
  }

  func site() throws -> Site { try Site(root: root, programs: programs) }

  /// Ends what runs and removes all files.
  func cleanUp() {
    try? FaultPoints.withdraw(in: root)
    // What is inside a network can't be told by its arguments alone.
    try? site().engine.killEverything()
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
    // Whether a command takes its session's file away depends on which thread ends last, and how
    // often QEMU is asked for what it has on how soon a guest lets go of a device.
    let isUnsteady = fault.map { fault in
      fault.place.hasSuffix("remove /home/sessions/*") || fault.place.contains("query-")
    }
    let mustStrike = isWanted && scenario.isSteady && isUnsteady != true
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
      [root, scenario.description, programs.monitor, programs.network, programs.qemu],
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

  /// Whether something comes to hold in a time.
  func within(milliseconds: Int, _ holds: () throws -> Bool) async throws -> Bool {
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
