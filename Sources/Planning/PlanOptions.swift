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
  /// Whether what belongs to the apply set and no manifest declares is deleted.
  public var prune: Bool
  /// The apply set that the manifests are.
  public var set: String
  /// Whether what belongs to another apply set may be declared, and belongs to this one then.
  public var takeOver: Bool

  /// Which resources are meant.
  public var scope: PlanScope

  /// The apply set where none is named.
  public static let defaultSet = "default"

  /// Makes options; by default nothing harsh is allowed.
  public init(
    allowRestart: Bool = false, allowReplace: Bool = false, replace: Set<ResourceID> = [],
    prune: Bool = false, set: String = PlanOptions.defaultSet, takeOver: Bool = false,
    scope: PlanScope = PlanScope()
  ) {
    self.allowRestart = allowRestart
    self.allowReplace = allowReplace
    self.replace = replace
    self.prune = prune
    self.set = set
    self.takeOver = takeOver
    self.scope = scope
  }
}

/// What is to be destroyed.
public enum DestroyTarget: Sendable, Hashable {
  /// Everything but what is built in; of one apply set alone where one is given.
  case all(set: String?)
  /// What manifests of an apply set declare; what the engine doesn't hold is passed over.
  case declared([ResourceID], set: String)
  /// These addresses, by name; those the engine doesn't hold are passed over.
  case resources([ResourceID])
}

extension DestroyTarget {
  /// The apply set it is about, where it is about one.
  var set: String {
    switch self {
    case .all(let set): set ?? PlanOptions.defaultSet
    case .declared(_, let set): set
    case .resources: PlanOptions.defaultSet
    }
  }
}
