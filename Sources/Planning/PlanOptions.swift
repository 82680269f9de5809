public import Resources

/// What the user allows a plan to do.
public struct PlanOptions: Sendable, Hashable {
  /// Whether running guests may be restarted where a field needs it, also where their policy says
  /// `WhenStopped`.
  public var allowRestart: Bool
  /// Whether machines may be destroyed and made anew where a field needs it, also where their
  /// policy says `Forbid`.
  public var allowReplace: Bool
  /// What is destroyed and made anew though nothing asks for it; what is not there is made.
  public var replace: Set<ResourceID>
  /// Whether what the engine holds and no manifest declares is deleted.
  public var prune: Bool

  /// Makes options; by default nothing harsh is allowed.
  public init(
    allowRestart: Bool = false, allowReplace: Bool = false, replace: Set<ResourceID> = [],
    prune: Bool = false
  ) {
    self.allowRestart = allowRestart
    self.allowReplace = allowReplace
    self.replace = replace
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
