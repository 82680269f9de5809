internal import JSON
public import SystemIO

/// A service that is launched to run on its own: nobody's child, with a lock that it is given.
public struct ServiceLaunch {
  /// What it is in messages: `the monitor of PATH`.
  public var title: String
  /// Where its program is.
  public var executable: String
  /// Its arguments; two more tell it the descriptors of its answer and its lock.
  public var arguments: [String]
  /// The lock that it holds while it runs.
  public var lock: String
  /// What gets its standard error.
  public var log: String

  /// Describes a service to launch.
  public init(
    title: String, executable: String, arguments: [String], lock: String, log: String
  ) {
    self.title = title
    self.executable = executable
    self.arguments = arguments
    self.lock = lock
    self.log = log
  }

  /// How a launch came out.
  public enum Outcome: Hashable, Sendable {
    /// It runs and said so.
    case ready
    /// Its lock is held: one runs already.
    case busy
    /// It gave this reason for not running.
    case refused(String)
    /// It ended without a word.
    case silent
    /// The time was over; it goes on starting.
    case late
  }

  /// Launches it and waits for its answer; blocks its thread.
  ///
  /// The lock is taken here and handed over, so that from before its start to its end everybody
  /// sees that there is one. It outlives the caller.
  public func launch(milliseconds: Int, host: HostContext) throws(SystemError) -> Outcome {
    let answer: [UInt8]
    do {
      let pipe = try start(host)
      var entries = [PollEntry(pipe.raw, wantsRead: true)]
      try poll(&entries, milliseconds: Int32(clamping: milliseconds))
      guard entries[0].isReady else { return .late }
      answer = try pipe.readAll(limit: 1 << 20)
    } catch  where error.isBusy {
      return .busy
    }
    // No JSON means no answer: it was killed.
    let value = try? JSONValue(parsing: answer)
    if value?["ok"]?.bool == true { return .ready }
    if let reason = value?["error"]?.string { return .refused(reason) }
    return .silent
  }

  /// - Returns: the pipe on which it answers once.
  private func start(_ host: HostContext) throws(SystemError) -> Descriptor {
    // One that was killed may leave it for a moment to a child it was starting.
    let lock = try FileLock.patient(self.lock, milliseconds: 1000, host: host)
    let pipe = try makePipe(name: "the readiness pipe")
    let log = try Descriptor.open(self.log, [.write, .create, .append])
    _ = try SpawnRequest(
      executable, arguments + ["--ready-descriptor", "3", "--lock-descriptor", "4"],
      environment: ["PATH=/usr/bin:/bin", "LC_ALL=C"], directory: "/",
      descriptors: [
        (target: 2, source: log), (target: 3, source: pipe.write),
        (target: 4, source: lock.descriptor),
      ], detached: true
    ).spawn()
    return pipe.read
  }
}

/// What a launched service was given by whoever launched it.
public final class LaunchedService {
  private var ready: Descriptor?
  private var lock: Descriptor?

  /// Makes one that nobody launched: a person started the program.
  public init() {}

  /// Takes one of the options that `ServiceLaunch` adds.
  ///
  /// - Parameter value: the argument after it.
  /// - Returns: false where the option is another, or its value makes no sense.
  public func take(option: String, value: String?) -> Bool {
    guard let number = value.flatMap(Int32.init), number > 2 else { return false }
    switch option {
    case "--ready-descriptor": ready = Descriptor(owning: number, name: "the readiness pipe")
    case "--lock-descriptor": lock = Descriptor(owning: number, name: "the service's lock")
    default: return false
    }
    return true
  }

  /// The service's lock: the one it was given, or else taken now.
  ///
  /// - Parameter service: what holds it, for messages: `a monitor`.
  /// - Throws: `RPCError` where another holds it; `SystemError`.
  public func takeLock(_ path: String, of service: String, host: HostContext) throws -> FileLock {
    do {
      if let lock { return try FileLock(handed: lock) }
      return try FileLock.patient(path, milliseconds: 1000, host: host)
    } catch {
      guard error.isBusy else { throw error }
      throw RPCError("\(service) runs for \(directoryName(path)) already")
    }
  }

  /// Answers whoever launched the service, once: that it runs, or why not.
  public func answer(problem: String? = nil) {
    guard let pipe = ready else { return }
    ready = nil
    let message: JSONValue = problem.map { ["error": .string($0)] } ?? ["ok": true]
    // The launcher may be gone; the service is not its alone.
    try? pipe.write(Array((message.text() + "\n").utf8))
  }
}
