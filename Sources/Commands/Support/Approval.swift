internal import EngineInterface
internal import Planning
internal import Resources

/// Asks before a plan is carried out.
enum Approval {
  /// Gives its consent or throws.
  ///
  /// - Parameters:
  ///   - command: the verb, for messages.
  ///   - yes: whether `--yes` was given.
  /// - Throws: `Failure` where nobody can be asked or the answer is no.
  static func ask(_ plan: Plan, command: String, yes: Bool) async throws {
    if yes || plan.actions.isEmpty { return }
    guard canPrompt() else {
      throw Failure(
        "\(command) asks before it does anything, and there is no terminal to ask on",
        help: "look at the plan above and pass --yes")
    }
    TextStream.errors.write("\n\(question(plan))\nOnly 'yes' goes on: ")
    Interrupts.shared.setPrompting(true)
    let answer = try await blocking { readLine() }
    Interrupts.shared.setPrompting(false)
    guard answer == "yes" else { throw Failure("nothing was done: the answer was not 'yes'") }
  }

  /// The question: how much is done, and the worst that happens to any guest.
  static func question(_ plan: Plan) -> String {
    let worst = plan.actions.max { rank($0) < rank($1) }
    let count = counted(plan.actions.count, "act")
    guard let worst, rank(worst) > 0 else {
      return "Do \(count)? No running guest is touched."
    }
    return "Do \(count)? The worst: \(consequence(worst))."
  }

  private static func consequence(_ action: PlannedAction) -> String {
    switch action.act {
    case .delete: "\(action.id) is destroyed"
    case .replace: "\(action.id) is destroyed and made anew"
    case .stop: "\(action.id) is shut down"
    default:
      switch action.effect {
      case .restart: "\(action.id) is restarted"
      case .nextBoot: "\(action.id) is changed at its next boot"
      default: "\(action.id) is changed while it runs"
      }
    }
  }

  private static func rank(_ action: PlannedAction) -> Int {
    switch action.act {
    case .delete: 6
    case .replace: 5
    case .stop: 4
    case .create, .retain, .start: 0
    case .update:
      switch action.effect {
      case .none: 0
      case .live: 1
      case .nextBoot: 2
      case .restart, .replace, .refused: 3
      }
    }
  }
}
