internal import Diagnostics
internal import EngineInterface
internal import JSON
internal import Resources

// What was changed by another way than ingot, seen against what is declared now.
extension Comparison {
  /// What mending does to the running guest, and what can't be mended.
  struct Mending {
    /// The hardest effect of what can be mended; nil where nothing was changed outside.
    var effect: Effect?
    /// Why the rest can't.
    var refusals: [Diagnostic] = []
    /// A sentence without full stop.
    var sentence = ""
  }

  func mending(
    of stored: ObservedResource, for resource: Resource, _ policy: UpdatePolicy
  ) -> Mending {
    guard !stored.drift.isEmpty else { return Mending() }
    var mending = Mending(effect: Effect.none)
    let hasGuest = hasGuest(stored)
    for drift in stored.drift {
      var effect = effect(of: drift, for: resource)
      if effect == .live, !hasGuest { effect = .none }
      switch policy.resolved(effect) {
      case .refused where effect != .refused:
        mending.refusals.append(
          .restartForbidden(
            resource, path: path(of: drift, resource), "cannot be brought back",
            at: resource.place(of: drift.path)))
      case .refused: mending.refusals.append(refusal(drift, of: resource))
      case let effect: mending.effect = max(mending.effect ?? .none, effect)
      }
    }
    let paths = stored.drift.map(\.path)
    mending.sentence =
      paths.count == 1
      ? "\(paths[0]) was changed outside ingot"
      : "\(paths.count) things were changed outside ingot"
    return mending
  }

  /// The effect of bringing one thing to what is declared now, which may be what is there already.
  private func effect(of drift: Drift, for resource: Resource) -> Effect {
    let schema = Schema.table(for: resource.id.kind)
    guard let field = schema.field(at: drift.path) else { return drift.effect }
    let declared = schema.value(at: drift.path, in: resource.spec)
    if declared == drift.actual { return .none }
    // What can only grow is grown from what is there.
    if drift.effect == .refused, field.shrinking == .refused, let actual = drift.actual?.integer,
      let declared = declared?.integer, declared > actual
    {
      return .none
    }
    return drift.effect
  }

  private func refusal(_ drift: Drift, of resource: Resource) -> Diagnostic {
    let schema = Schema.table(for: resource.id.kind)
    let applied = schema.text(of: drift.applied, at: drift.path)
    let actual = drift.actual.map { "is \(schema.text(of: $0, at: drift.path))" } ?? "is gone"
    return Diagnostic(
      drift.actual == nil ? "missing-data" : "drifted",
      "\(actual) and was \(applied): it was changed outside ingot",
      path: path(of: drift, resource), at: resource.place(of: drift.path),
      help: drift.note ?? "declare what is there, or destroy the resource and make it anew")
  }

  private func path(of drift: Drift, _ resource: Resource) -> String {
    let isField = Schema.table(for: resource.id.kind).field(at: drift.path) != nil
    return isField ? "spec.\(drift.path)" : drift.path
  }
}
