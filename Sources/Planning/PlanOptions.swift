public import Resources

/// What the user allows a plan to do.
public struct PlanOptions: Sendable, Hashable {
  /// Whether running guests may be restarted where a field needs it; otherwise such fields are
  /// stored and wait for the next boot.
  public var allowRestart: Bool
  /// Whether what the engine holds and no manifest declares is deleted.
  public var prune: Bool

  /// Makes options; by default nothing harsh is allowed.
  public init(allowRestart: Bool = false, prune: Bool = false) {
    self.allowRestart = allowRestart
    self.prune = prune
  }
}

/// What is to be destroyed.
public enum DestroyTarget: Sendable, Hashable {
  /// Everything but what is built in.
  case all
  /// These addresses; those the engine doesn't hold are passed over.
  case resources([ResourceID])
}
