/// What every hypervisor adapter speaks.
///
/// All methods may be called from several tasks; an engine serialises what must be. Cancelling the
/// task of an act makes the engine finish or undo what is under way, never leave it half-made.
public protocol Engine: Sendable {
  /// Everything the engine holds, after it looked at the world: dead processes are known as dead,
  /// living ones are re-adopted.
  ///
  /// - Throws: `EngineError`; a record that can't be read is an error, never an absence.
  func observe() async throws -> ObservedState

  /// Does one act, journaled: its intent is durable before it, its outcome after it.
  ///
  /// Doing an act that is done already, or that was cut short, completes it.
  ///
  /// - Parameters:
  ///   - act: what to do.
  ///   - inputs: for images, the digest of what they are built from; that of a machine's secrets is
  ///     taken when the act begins.
  ///   - progress: called from any thread, at most a few times a second.
  /// - Throws: `EngineError`.
  func perform(
    _ act: Act, inputs: String?, progress: @escaping @Sendable (ActProgress) -> Void
  ) async throws -> ActOutcome

  /// Takes the lock that excludes other changing commands for as long as the value lives.
  ///
  /// - Throws: `EngineError` with code `busy`, naming the holder.
  func lock(for command: String) async throws -> any EngineLock

  /// Verbs on a running machine that leave its specification alone.
  ///
  /// - Throws: `EngineError`.
  func control(_ machine: String, _ verb: MachineVerb) async throws

  /// Runs a command in a guest through its agent.
  ///
  /// - Parameters:
  ///   - input: what it finds on its standard input.
  ///   - timeout: in seconds.
  func execute(_ machine: String, _ arguments: [String], input: [UInt8], timeout: Int) async throws
    -> GuestCommandResult

  /// Events from a sequence number on, oldest first.
  func events(after sequence: Int64, limit: Int) async throws -> [EngineEvent]
}

/// Excludes other changing commands while it lives.
public protocol EngineLock: AnyObject, Sendable {
  /// Gives the lock back before the value goes.
  func release()
}

/// Verbs on a machine.
public enum MachineVerb: Sendable, Hashable {
  /// Start it; one that runs is left alone.
  case start
  /// Shut it down, by ACPI first; killed after `grace` seconds, nil means the machine's own period.
  case stop(grace: Int?)
  /// Restart the guest; `force` resets it without asking.
  case reboot(force: Bool)
  /// Stop it in its tracks.
  case pause
  /// Let it go on.
  case resume
}

/// What a command in a guest answered.
public struct GuestCommandResult: Sendable, Hashable {
  /// The exit code; for a signal 128 plus its number.
  public var exitCode: Int32
  /// Standard output.
  public var output: [UInt8]
  /// Standard error.
  public var errors: [UInt8]

  /// Makes a result.
  public init(exitCode: Int32, output: [UInt8], errors: [UInt8]) {
    self.exitCode = exitCode
    self.output = output
    self.errors = errors
  }
}

/// Why an engine did not do what was asked.
public struct EngineError: Error, Sendable, Hashable, CustomStringConvertible {
  /// A stable word for the sort of failure.
  public struct Code: RawRepresentable, Sendable, Hashable, ExpressibleByStringLiteral {
    /// The word, in kebab case: `busy`, `not-found`, `store-corrupt`, `no-space`.
    public let rawValue: String
    /// Makes a code.
    public init(rawValue: String) { self.rawValue = rawValue }
    /// Makes a code of a literal.
    public init(stringLiteral value: String) { rawValue = value }
  }

  /// The sort of failure.
  public var code: Code
  /// What was attempted on what, and why it failed.
  public var message: String
  /// How to go on.
  public var help: String?

  /// Makes an error.
  public init(_ code: Code, _ message: String, help: String? = nil) {
    self.code = code
    self.message = message
    self.help = help
  }

  /// The message, with the help behind it.
  public var description: String { help.map { "\(message)\nhelp: \($0)" } ?? message }
}
