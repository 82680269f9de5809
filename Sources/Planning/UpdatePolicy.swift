internal import Diagnostics
internal import EngineInterface
internal import JSON
internal import Resources

/// What a manifest and the options of the command allow to be done to a machine, by the manifest
/// that is being applied.
struct UpdatePolicy {
  /// When a running guest may be restarted for a change.
  enum Restart: String {
    /// A change that needs one is refused while the guest runs.
    case never = "Never"
    /// The change is staged for the next boot.
    case whenStopped = "WhenStopped"
    /// At once.
    case automatic = "Automatic"
  }

  /// When a running guest may be restarted.
  let restart: Restart
  /// Whether a change may destroy the machine and make it anew.
  let allowsReplace: Bool
  /// Whether the manifest asks for a guest that is down, which no change has to wait for.
  private let isHalted: Bool

  /// Only machines have a policy of their own: nothing is lost with other kinds, or they refuse it
  /// field by field.
  init(of resource: Resource, _ options: PlanOptions) {
    guard resource.id.kind == .virtualMachine else {
      (restart, allowsReplace, isHalted) = (.whenStopped, true, false)
      return
    }
    let policy = resource.spec["updatePolicy"]
    let declared = policy?["restart"]?.string.flatMap(Restart.init) ?? .whenStopped
    restart = declared == .whenStopped && options.allowRestart ? .automatic : declared
    allowsReplace =
      policy?["replace"] == "Allow" || options.allowReplace || options.replace.contains(resource.id)
    isHalted =
      resource.spec["runStrategy"]?.string == MachineSpecification.RunStrategy.halted.rawValue
  }

  /// What is done where a change would have this effect on the running guest.
  func resolved(_ effect: Effect) -> Effect {
    guard effect == .nextBoot || effect == .restart else { return effect }
    if isHalted { return .nextBoot }
    return switch restart {
    case .never: .refused
    case .whenStopped: .nextBoot
    case .automatic: .restart
    }
  }

  /// The change as it is done.
  func resolved(_ change: FieldChange) -> FieldChange {
    // That a guest is shut down is what such a change says, whatever the policy.
    if change.path == "runStrategy" { return change }
    var change = change
    change.effect = resolved(change.effect)
    return change
  }
}

extension Diagnostic {
  /// The refusal of what would need a restart that the policy forbids.
  static func restartForbidden(
    _ resource: Resource, path: String, _ what: String, at span: SourceSpan?
  ) -> Diagnostic {
    Diagnostic(
      "restart-forbidden", "\(what) while the guest runs: updatePolicy.restart is Never",
      path: path, at: span,
      help: "stop it first with 'ingot stop \(resource.id.name)', or set updatePolicy.restart to "
        + "WhenStopped or Automatic")
  }

  /// The refusal to destroy and make anew what the policy keeps.
  static func replaceForbidden(
    _ resource: Resource, because reason: String, losing lost: [String], at span: SourceSpan?
  ) -> Diagnostic {
    let loss = lost.isEmpty ? "" : "; \(lost.joined(separator: ", ")) would be lost"
    return Diagnostic(
      "replace-forbidden", "\(reason), and updatePolicy.replace is Forbid",
      path: "spec.updatePolicy.replace", at: span ?? resource.source,
      help: "pass --allow-replace, or set updatePolicy.replace to Allow\(loss)")
  }
}

extension Resource {
  /// What goes when it is destroyed or made anew: a machine's own disks by their names, a volume's
  /// data.
  var perishable: [String] {
    switch id.kind {
    case .virtualMachine:
      (spec["disks"]?.array ?? []).compactMap { disk in
        guard disk["volume"]?.string == nil, let name = disk["name"]?.string else { return nil }
        return "disks[\(name)]"
      }
    case .volume: ["data"]
    case .image, .network, .resourcePool, .securityGroup, .storagePool: []
    }
  }
}
