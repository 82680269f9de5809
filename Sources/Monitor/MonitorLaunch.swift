internal import JSON
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
  let answer: [UInt8]
  do {
    let pipe = try startMonitor(directory, monitorExecutable, mode, host)
    var entries = [PollEntry(pipe.raw, wantsRead: true)]
    try poll(&entries, milliseconds: Int32(clamping: milliseconds))
    guard entries[0].isReady else {
      throw MonitorError(
        "the monitor of \(directory.path) did not start its guest within \(milliseconds) ms; "
          + "see \(directory.monitorLog)")
    }
    answer = try pipe.readAll(limit: 1 << 20)
  } catch let error as MonitorError {
    throw error
  } catch let error as SystemError where error.isBusy {
    throw MonitorError("a monitor runs for \(directory.path) already")
  } catch {
    throw MonitorError("\(error)")
  }
  // No JSON means no answer: the monitor was killed.
  let value = try? JSONValue(parsing: answer)
  if value?["ok"]?.bool == true { return }
  throw MonitorError(
    value?["error"]?.string
      ?? "the monitor of \(directory.path) ended without a word; see \(directory.monitorLog)")
}

/// - Returns: the pipe on which it answers once.
private func startMonitor(
  _ directory: MachineDirectory, _ executable: String, _ mode: LaunchMode, _ host: HostContext
) throws(SystemError) -> Descriptor {
  // A monitor that was killed may leave it for a moment to a child it was starting.
  let lock = try FileLock.patient(directory.lock, milliseconds: 1000, host: host)
  let pipe = try makePipe(name: "the readiness pipe")
  let log = try Descriptor.open(directory.monitorLog, [.write, .create, .append])
  var arguments = [directory.path, "--ready-descriptor", "3", "--lock-descriptor", "4"]
  if mode == .adopt { arguments.append("--adopt") }
  _ = try SpawnRequest(
    executable, arguments, environment: ["PATH=/usr/bin:/bin", "LC_ALL=C"], directory: "/",
    descriptors: [
      (target: 2, source: log), (target: 3, source: pipe.write),
      (target: 4, source: lock.descriptor),
    ], detached: true
  ).spawn()
  return pipe.read
}
