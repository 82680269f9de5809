internal import EngineInterface
internal import Monitor
internal import QEMU
internal import Resources
internal import SystemIO

extension EmbeddedEngine {
  /// Changes what a running guest can have changed at once: its policy and its forwards.
  ///
  /// To be done before the new configuration is written: the monitor keeps its own copy and writes
  /// it with the new policy.
  func changeLive(
    _ change: Change, from before: StoredResource, _ spec: MachineSpecification
  ) throws {
    guard let after = change.after, let client = try attachMonitor(change.uid) else { return }
    let directory = MachineDirectory(home.machine(change.uid))
    let old: MonitorConfiguration
    do {
      old = try MonitorConfiguration.read(directory)
    } catch {
      throw EngineError("failed", "\(error)")
    }
    let new = try makeConfiguration(
      change.uid, after, generation: change.nextGeneration)
    try answered { () throws(RPCError) in try client.setPolicy(new) }
    for interface in new.machine.interfaces {
      guard let before = old.machine.interfaces.first(where: { $0.id == interface.id }) else {
        continue
      }
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
