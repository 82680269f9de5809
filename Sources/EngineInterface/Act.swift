public import Resources

/// One thing an engine can be asked to do; a closed set.
public enum Act: Sendable, Hashable {
  /// Make a resource that isn't there; a machine whose run strategy asks for it is started.
  case create(Resource)
  /// Bring a resource to a new specification in place.
  ///
  /// `restart` allows stopping and starting a running machine where a field needs it; without it
  /// such fields are staged for the next boot.
  case update(Resource, restart: Bool)
  /// Destroy a resource and make it anew, keeping its identity: name, MAC, addresses, volumes.
  case replace(Resource)
  /// Destroy a resource and what only it owns.
  case delete(ResourceID)
  /// Take a resource out of its apply set; it stays as it is.
  case retain(ResourceID)
  /// Start a machine that is down.
  case start(ResourceID)
  /// Shut a machine down.
  case stop(ResourceID)

  /// What it is done to.
  public var id: ResourceID {
    switch self {
    case .create(let resource), .update(let resource, _), .replace(let resource): resource.id
    case .delete(let id), .retain(let id), .start(let id), .stop(let id): id
    }
  }

  /// What it brings the resource to; nil where its specification stays or goes.
  public var resource: Resource? {
    switch self {
    case .create(let resource), .update(let resource, _), .replace(let resource): resource
    case .delete, .retain, .start, .stop: nil
    }
  }

  /// Whether it allows the guest to be restarted.
  public var restarts: Bool {
    if case .update(_, let restart) = self { restart } else { false }
  }

  /// The word for it: `create`, `update`.
  public var verb: String {
    switch self {
    case .create: "create"
    case .update: "update"
    case .replace: "replace"
    case .delete: "delete"
    case .retain: "retain"
    case .start: "start"
    case .stop: "stop"
    }
  }
}

/// How far a long act has come.
public struct ActProgress: Sendable, Hashable {
  /// What is being done: `packing`, `booting`.
  public var phase: String
  /// Done so far, in bytes where there are bytes to count; else 0.
  public var completed: Int
  /// The whole, in the same unit; nil where it isn't known yet.
  public var total: Int?

  /// Makes a report.
  public init(phase: String, completed: Int = 0, total: Int? = nil) {
    self.phase = phase
    self.completed = completed
    self.total = total
  }
}

/// What an act did.
public struct ActOutcome: Sendable, Hashable {
  /// The hardest effect that really happened.
  public var effect: Effect
  /// Fields stored but not in effect until the next boot.
  public var staged: [String]
  /// What else there is to say, a sentence each.
  public var notes: [String]

  /// Makes an outcome.
  public init(effect: Effect = .none, staged: [String] = [], notes: [String] = []) {
    self.effect = effect
    self.staged = staged
    self.notes = notes
  }
}
