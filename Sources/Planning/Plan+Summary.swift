internal import EngineInterface
public import Resources

/// How much a plan does, for its last line and the prompt.
public struct PlanSummary: Sendable, Hashable {
  /// Resources that are made.
  public var add = 0
  /// Resources that are changed in place.
  public var change = 0
  /// Of those, how many by the hardest effect; every effect is there.
  public var changeByEffect: [Effect: Int] = [:]
  /// Resources that are destroyed and made anew.
  public var replace = 0
  /// Resources that are destroyed.
  public var destroy = 0
  /// Resources that are kept though they leave their apply set.
  public var retain = 0
  /// Machines that are started.
  public var start = 0
  /// Machines that are shut down.
  public var stop = 0
  /// Resources of which something is refused.
  public var refused = 0
  /// Resources that are as declared.
  public var unchanged = 0
}

extension Plan {
  /// The plan in numbers.
  public var summary: PlanSummary {
    var summary = PlanSummary()
    for effect in Effect.allCases { summary.changeByEffect[effect] = 0 }
    for action in actions {
      switch action.act {
      case .create: summary.add += 1
      case .update:
        summary.change += 1
        summary.changeByEffect[action.effect, default: 0] += 1
      case .replace: summary.replace += 1
      case .delete: summary.destroy += 1
      case .retain: summary.retain += 1
      case .start: summary.start += 1
      case .stop: summary.stop += 1
      }
    }
    summary.refused = Set(refused.map(\.id)).count
    summary.unchanged = unchanged.count
    return summary
  }

  /// The hardest thing that happens to any running guest; a guest that is destroyed counts as
  /// replaced, one that is shut down as restarted.
  public var worstEffect: Effect { actions.map(\.effect).max() ?? .none }

  /// The actions in steps: those of one step depend only on earlier steps, and can run together.
  public var levels: [[PlannedAction]] {
    var depths: [ResourceID: Int] = [:]
    var levels: [[PlannedAction]] = []
    for action in actions {
      let depth = action.dependencies.map { depths[$0, default: 0] + 1 }.max() ?? 0
      depths[action.id] = depth
      while levels.count <= depth { levels.append([]) }
      levels[depth].append(action)
    }
    return levels
  }
}

extension PlannedAction {
  /// The word that a plan shows for what happens to a running guest: `none`, `live`, `next-boot`,
  /// `restart`, `replace`, or `stop` and `destroy` where it does not come back.
  public var effectWord: String {
    switch act {
    case .delete: effect == .none ? effect.word : "destroy"
    case .stop: "stop"
    default: effect.word
    }
  }
}
