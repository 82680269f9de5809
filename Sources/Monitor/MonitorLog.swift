internal import SystemIO

/// What the monitor has to say to people, in its directory.
struct MonitorLog {
  private let file: Descriptor
  private let now: @Sendable () -> Timestamp

  init(_ directory: MachineDirectory, _ host: HostContext) throws(SystemError) {
    file = try Descriptor.open(directory.monitorLog, [.write, .create, .append])
    // One monitor writes little; the bound is against a fault that repeats itself.
    if try file.size() > 1 << 20 { try file.truncate(to: 0) }
    now = host.now
  }

  func write(_ line: String) {
    // There is no other place to say that the log can't be written.
    try? file.write(Array("\(now()) \(line)\n".utf8))
  }
}
