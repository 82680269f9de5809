internal import Diagnostics
internal import EngineInterface
internal import Resources

// What is destroyed and made anew under its name.
extension Comparison {
  func replacement(
    _ resource: Resource, _ stored: ObservedResource, _ changes: [FieldChange],
    _ policy: UpdatePolicy, inputsChanged: Bool
  ) -> Verdict? {
    let isImage = resource.id.kind == .image
    let immutable = changes.first { $0.effect == .replace }
    let reason: PlanReason
    if options.replace.contains(resource.id) {
      reason = PlanReason(.replaceRequested, "named by --replace")
    } else if let immutable {
      reason = PlanReason(.immutableFieldChanged, "\(immutable.path) cannot change in place")
    } else if isImage, inputsChanged {
      reason = PlanReason(.inputsChanged, "what it is built from has changed")
    } else if isImage, stored.phase == .failed {
      // Other kinds hold data that a new one would not have; they are repaired in place.
      reason = PlanReason(.failed, because("it is broken", stored))
    } else {
      return nil
    }
    let place = immutable?.source ?? resource.source
    let lost = stored.resource.perishable
    if stored.resource.isProtected {
      return .refuse(
        verb: "replace", [.protected(resource, "replaced: \(reason.message)", at: place)])
    }
    if !policy.allowsReplace {
      return .refuse(
        verb: "replace",
        [.replaceForbidden(resource, because: reason.message, losing: lost, at: place)])
    }
    if let problem = volumeInUse(resource, stored, changes, at: place) {
      return .refuse(verb: "replace", [problem])
    }
    // A guest runs on the image that its disk was made from; the old one is kept for it.
    let isMachine = resource.id.kind == .virtualMachine
    var action = PlannedAction(
      .replace(resource), reason: reason, effect: isMachine ? .replace : .none,
      changes: isMachine ? changes : changes.map(\.withoutEffect), source: place,
      inputs: digest(of: resource))
    action.lost = lost
    return .act(action)
  }

  /// Why a volume can't be made anew now: a guest has its file open, or a machine that stays as it
  /// is knows where the file lies.
  private func volumeInUse(
    _ resource: Resource, _ stored: ObservedResource, _ changes: [FieldChange],
    at place: SourceSpan?
  ) -> Diagnostic? {
    guard resource.id.kind == .volume else { return nil }
    let moves = changes.contains { $0.path == "pool" || $0.path == "format" }
    for user in observed.resources where user.resource.id.kind == .virtualMachine {
      let hasGuest = user.machine?.state.hasGuest ?? false
      guard hasGuest || moves,
        user.resource.references.contains(where: { $0.target == resource.id })
      else { continue }
      return Diagnostic(
        "in-use",
        "\(resource.id) is used by \(user.resource.id)\(hasGuest ? ", whose guest runs" : "")",
        at: place,
        help: moves
          ? "take it out of \(user.resource.id) first"
          : "stop it first with 'ingot stop \(user.resource.id.name)'")
    }
    return nil
  }
}
