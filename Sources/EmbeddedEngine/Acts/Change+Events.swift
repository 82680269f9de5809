internal import EngineInterface
internal import JSON
internal import Resources

extension Change {
  /// Fields that are told of in one event at most.
  private static let changesLimit = 64

  /// The fields that changed, with what that really did to the guest; none where the resource is
  /// made or removed as a whole.
  func changes(_ outcome: ActOutcome) -> [EngineEvent.Change] {
    guard let before = before?.resource, let after, verb != .delete else { return [] }
    var changes: [EngineEvent.Change] = []
    for (path, isSame) in [
      ("metadata.labels", before.labels == after.labels),
      ("metadata.annotations", before.annotations == after.annotations),
    ] where !isSame {
      changes.append(EngineEvent.Change(path: path, effect: .none))
    }
    for difference in Schema.table(for: id.kind).differences(from: before.spec, to: after.spec) {
      changes.append(
        EngineEvent.Change(path: difference.path, effect: effect(of: difference, outcome)))
    }
    return Array(changes.prefix(Self.changesLimit))
  }

  private func effect(of difference: Schema.Difference, _ outcome: ActOutcome) -> Effect {
    if outcome.staged.contains(difference.path) { return .nextBoot }
    // What waits for a boot got one.
    if difference.effect == .nextBoot, outcome.effect > .nextBoot { return outcome.effect }
    return min(difference.effect, outcome.effect)
  }
}
