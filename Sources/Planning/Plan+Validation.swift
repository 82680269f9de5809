public import Resources

/// A plan that breaks its own rules: a mistake in the planner, never of the user.
public struct InvalidPlan: Error, Sendable, Hashable, CustomStringConvertible {
  /// The address that breaks a rule.
  public var id: ResourceID
  /// Which rule.
  public var problem: String

  /// The address and the rule.
  public var description: String { "plan is inconsistent at \(id): \(problem)" }
}

extension Plan {
  /// Checks that each address occurs once, each action stands behind those it depends on (so there
  /// is no cycle), what is unchanged isn't acted on, and each field change changes something.
  ///
  /// - Throws: `InvalidPlan` for the first rule broken.
  public func validate() throws(InvalidPlan) {
    let known = Set(actions.lazy.map(\.id))
    var done: Set<ResourceID> = []
    for action in actions {
      func fail(_ problem: String) -> InvalidPlan { InvalidPlan(id: action.id, problem: problem) }
      guard !done.contains(action.id) else { throw fail("acted on twice") }
      for need in action.dependencies {
        guard known.contains(need) else { throw fail("depends on \(need), which is not in it") }
        guard done.contains(need) else { throw fail("stands before \(need), which it depends on") }
      }
      for change in action.changes where change.before == change.after {
        throw fail("\(change.path) changes to what it is")
      }
      done.insert(action.id)
    }
    for id in unchanged where done.contains(id) {
      throw InvalidPlan(id: id, problem: "acted on and unchanged")
    }
    for refusal in refused where done.contains(refusal.id) {
      throw InvalidPlan(id: refusal.id, problem: "acted on and refused")
    }
  }
}
