public import Diagnostics
public import Resources

/// Something that happened, and who did it.
public struct EngineEvent: Sendable, Hashable {
  /// Its number; later ones are higher.
  public var sequence: Int64
  /// When, in seconds since 1970.
  public var time: Int64
  /// What it happened to; nil for the engine itself.
  public var id: ResourceID?
  /// A stable word: `Created`, `Started`, `Exited`.
  public var reason: String
  /// A sentence.
  public var message: String
  /// Who did it; nil for what happened by itself, such as the end of a guest.
  public var actor: EngineActor?
  /// Where the manifest asked for it, where one did.
  public var source: SourceSpan?
  /// The fields that changed; never their values.
  public var changes: [Change]

  /// A field that changed.
  public struct Change: Sendable, Hashable {
    /// The path without `spec.`, such as `disks[root].size`; `metadata.labels` for those.
    public var path: String
    /// What the change did to the guest.
    public var effect: Effect

    /// Makes a change.
    public init(path: String, effect: Effect) {
      self.path = path
      self.effect = effect
    }
  }

  /// Makes an event.
  public init(
    sequence: Int64, time: Int64, id: ResourceID?, reason: String, message: String,
    actor: EngineActor? = nil, source: SourceSpan? = nil, changes: [Change] = []
  ) {
    self.sequence = sequence
    self.time = time
    self.id = id
    self.reason = reason
    self.message = message
    self.actor = actor
    self.source = source
    self.changes = changes
  }
}

/// Who uses an engine: what its events tell about whoever made them happen.
public struct EngineActor: Sendable, Hashable {
  /// The user id that the process acts with.
  public var userID: UInt32
  /// That user's name; nil where the host knows none.
  public var userName: String?
  /// The name of the user who logged in, where that is another one: who is behind `sudo`.
  public var loginName: String?
  /// The command line, without what may be secret.
  public var command: String
  /// The process.
  public var processID: Int32

  /// Describes an actor.
  public init(
    userID: UInt32, userName: String?, loginName: String? = nil, command: String, processID: Int32
  ) {
    self.userID = userID
    self.userName = userName
    self.loginName = loginName
    self.command = command
    self.processID = processID
  }

  /// `root`, `root (alice)`, `user 1000`.
  public var name: String {
    (userName ?? "user \(userID)") + (loginName.map { " (\($0))" } ?? "")
  }
}
