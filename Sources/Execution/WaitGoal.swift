public import EngineInterface
internal import JSON
internal import Resources

/// What is waited for.
public struct WaitGoal: Sendable {
  /// What it is, behind "waits for": `condition Ready`.
  public var words: String
  /// What a resource must be like; nil is one that isn't there.
  var isMet: @Sendable (ObservedResource?) -> Bool
  /// What is there in place of what is waited for, in words.
  var found: @Sendable (ObservedResource) -> String
  /// Whether a guest that is down for good, or stuck, can't meet it.
  var needsGuest = false
  /// Whether a resource that isn't there may come, or is even what is waited for.
  var bearsAbsence = false

  /// Any goal that is read off a resource.
  ///
  /// - Parameters:
  ///   - isMet: asked again and again.
  ///   - found: what is there instead, for the time when the wait is over.
  public init(
    _ words: String, isMet: @escaping @Sendable (ObservedResource) -> Bool,
    found: @escaping @Sendable (ObservedResource) -> String
  ) {
    self.words = words
    self.isMet = { $0.map(isMet) ?? false }
    self.found = found
  }

  /// A condition has a status.
  public static func condition(_ name: Condition.Name, is wanted: Bool = true) -> WaitGoal {
    var goal = WaitGoal("condition \(name.rawValue)\(wanted ? "" : "=False")") { resource in
      resource.conditions.contains { $0.name == name && $0.isTrue == wanted }
    } found: { resource in
      guard let condition = resource.conditions.first(where: { $0.name == name }) else {
        return "it has no condition \(name.rawValue)"
      }
      let reason = condition.reason.isEmpty ? "" : ": \(condition.reason)"
      return "\(name.rawValue) is \(condition.status)\(reason)"
    }
    goal.needsGuest = wanted && (name == .ready || name == .agentConnected)
    return goal
  }

  /// The resource is ready.
  public static let ready = condition(.ready)

  /// The machine is down.
  public static let halted = WaitGoal("its end") { resource in
    resource.machine.map { $0.state == .halted || $0.state == .crashed } ?? true
  } found: { resource in
    "it is \(resource.machine?.state.rawValue ?? "there")"
  }

  /// The resource is gone.
  public static let deleted: WaitGoal = {
    var goal = WaitGoal("its deletion", isMet: { _ in false }, found: { _ in "it is there" })
    goal.isMet = { $0 == nil }
    goal.bearsAbsence = true
    return goal
  }()

  /// Whether a resource is as wanted.
  public func matches(_ resource: ObservedResource) -> Bool { isMet(resource) }

  /// How long it is waited for where nobody says: a machine's readiness probe knows.
  func timeout(of resource: ObservedResource?) -> Duration {
    guard needsGuest, let probe = resource?.resource.spec["readinessProbe"]?["timeout"]?.integer
    else { return .seconds(Waiter.defaultTimeout) }
    return .seconds(probe)
  }
}
