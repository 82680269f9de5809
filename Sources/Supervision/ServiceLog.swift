public import SystemIO

/// What a service has to say to people, in a file.
public struct ServiceLog: Sendable {
  private let file: Descriptor
  private let now: @Sendable () -> Timestamp

  /// Opens the log, or makes it.
  public init(_ path: String, _ host: HostContext) throws(SystemError) {
    file = try Descriptor.open(path, [.write, .create, .append])
    // A service writes little; the bound is against a fault that repeats itself.
    if try file.size() > 1 << 20 { try file.truncate(to: 0) }
    now = host.now
  }

  /// Adds a line.
  public func write(_ line: String) {
    // There is no other place to say that the log can't be written.
    try? file.write(Array("\(now()) \(line)\n".utf8))
  }
}
