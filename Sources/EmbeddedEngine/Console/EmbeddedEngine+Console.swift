internal import EngineInterface
internal import Monitor
internal import SystemIO

extension EmbeddedEngine {
  /// Bytes of a boot's console that are looked through; what was before them is passed over.
  private static let consoleLimit = 1 << 18

  /// How far a running guest came; nil where its console can't be read or tells nothing any more.
  func bootProgress(_ directory: MachineDirectory, _ status: MonitorStatus) -> BootProgress? {
    guard let started = status.started,
      var progress = Self.progress(directory, since: started.consoleStart)
    else { return nil }
    // The agent runs in a system that is up; but a panic leaves its channel open.
    if status.hasAgent, progress.isStuck, progress.stage != .panic {
      progress = BootProgress(.system)
    }
    return progress
  }

  /// What the kernel said when it panicked, where QEMU tells that it did; empty where nothing was.
  func panicLine(_ directory: MachineDirectory, after end: ExitRecord) -> String {
    guard end.cause == .guestPanic, let progress = Self.progress(directory, since: nil),
      progress.stage == .panic
    else { return "" }
    return progress.evidence
  }

  private static func progress(_ directory: MachineDirectory, since start: Int?) -> BootProgress? {
    // A console that can't be read costs an explanation, and must not cost the state.
    guard
      let (bytes, isCut) = try? ConsoleHistory.read(directory, since: start, limit: consoleLimit)
    else { return nil }
    let progress = BootRecognition.progress(of: bytes)
    return isCut && progress.stage == .unrecognized ? nil : progress
  }
}
