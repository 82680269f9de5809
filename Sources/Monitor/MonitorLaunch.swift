internal import Supervision
public import SystemIO

/// What a monitor that is launched is to do.
public enum LaunchMode: Sendable {
  /// Start the guest, or take up the one that runs.
  case start
  /// Take up the guest that runs; one found dead is recorded so and started only by its strategy.
  case adopt
}

/// Launches a machine's monitor and waits until QEMU runs the guest; blocks its thread.
///
/// The directory holds `monitor.json`. The monitor is nobody's child: it outlives the caller. The
/// machine's lock is taken here and handed to it, so that from before its start to its end
/// everybody sees that there is a monitor.
/// - Parameters:
///   - monitorExecutable: where `ingot-monitor` is.
///   - milliseconds: how long to wait for the guest to run; it goes on starting after that.
/// - Throws: `MonitorError` with the monitor's or QEMU's reason.
public func launchMonitor(
  _ directory: MachineDirectory, monitorExecutable: String, mode: LaunchMode = .start,
  milliseconds: Int = 90_000, host: HostContext
) throws(MonitorError) {
  var service = ServiceLaunch(
    title: "the monitor of \(directory.path)", executable: monitorExecutable,
    arguments: [directory.path], lock: directory.lock, log: directory.monitorLog)
  if mode == .adopt { service.arguments.append("--adopt") }
  let outcome: ServiceLaunch.Outcome
  do {
    outcome = try service.launch(milliseconds: milliseconds, host: host)
  } catch {
    throw MonitorError("\(error)")
  }
  switch outcome {
  case .ready: break
  case .busy: throw MonitorError("a monitor runs for \(directory.path) already")
  case .refused(let reason): throw MonitorError(reason)
  case .silent:
    throw MonitorError("\(service.title) ended without a word; see \(service.log)")
  case .late:
    throw MonitorError(
      "\(service.title) did not start its guest within \(milliseconds) ms; see \(service.log)")
  }
}
