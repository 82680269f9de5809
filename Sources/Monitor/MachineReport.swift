internal import JSON
public import SystemIO

/// What a machine's directory tells about its guest, whether or not a monitor runs.
public struct MachineReport: Hashable, Sendable {
  /// What is known about the guest.
  public enum Guest: Hashable, Sendable {
    /// It has never run.
    case neverStarted
    /// Its process lives.
    case running(StartedRecord)
    /// It ended, and this is how.
    case ended(ExitRecord)
    /// It ended and nobody saw it: a monitor, started with `.adopt`, will settle it.
    case vanished(StartedRecord)
    /// Whether its process lives can't be told; it must be taken for alive.
    case unknown(StartedRecord)
  }

  /// What is known about the guest.
  public let guest: Guest
  /// Whether a monitor listens.
  public let hasMonitor: Bool

  /// Reads a directory's records.
  ///
  /// - Throws: `MonitorError` where a record can't be read; it is never taken for absent.
  public static func read(
    _ directory: MachineDirectory, host: HostContext
  ) throws(MonitorError) -> MachineReport {
    let hasMonitor: Bool
    do {
      _ = try StreamSocket.connect(directory.monitorSocket)
      hasMonitor = true
    } catch {
      // A listener whose queue is full is there all the same.
      hasMonitor = !(error.isNotFound || error.isRefused)
    }
    return MachineReport(guest: try guest(directory, host), hasMonitor: hasMonitor)
  }

  private static func guest(
    _ directory: MachineDirectory, _ host: HostContext
  ) throws(MonitorError) -> Guest {
    if let started = try readStarted(directory) {
      switch started.process.liveness(currentBootID: host.bootID) {
      case .alive: return .running(started)
      case .unknown: return .unknown(started)
      case .dead:
        // The end may have been recorded between the two reads.
        if try readStarted(directory) != nil { return .vanished(started) }
      }
    }
    return try readExit(directory).map(Guest.ended) ?? .neverStarted
  }

  static func readStarted(
    _ directory: MachineDirectory
  ) throws(MonitorError) -> StartedRecord? {
    try record(directory.started) { reader throws(JSONShapeError) in try StartedRecord(reader) }
  }

  static func readExit(_ directory: MachineDirectory) throws(MonitorError) -> ExitRecord? {
    try record(directory.exit) { reader throws(JSONShapeError) in try ExitRecord(reader) }
  }

  private static func record<Record>(
    _ path: String, _ read: (JSONReader) throws(JSONShapeError) -> Record
  ) throws(MonitorError) -> Record? {
    let bytes: [UInt8]
    do {
      bytes = try readFile(path, limit: 1 << 20)
    } catch  where error.isNotFound {
      return nil
    } catch {
      throw MonitorError("\(error)")
    }
    do {
      return try read(JSONReader(JSONValue(parsing: bytes)))
    } catch {
      throw MonitorError(
        "\(path) can't be used: \(error); make sure the guest's process is gone, then remove it")
    }
  }
}
