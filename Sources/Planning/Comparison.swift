internal import Diagnostics
internal import EngineInterface
internal import JSON
internal import Resources

/// What is to be done about one resource, before anything else is looked at.
enum Verdict {
  case unchanged
  case act(PlannedAction)
  case refuse(verb: String, [Diagnostic])
}

/// Compares single resources.
struct Comparison {
  let observed: ObservedState
  let options: PlanOptions
  let inputs: [ResourceID: String]
  let use: GuestUse
  /// Networks that the plan defines anew while guests run on them.
  var changedNetworks: Set<String> = []

  init(observed: ObservedState, options: PlanOptions, inputs: [ResourceID: String]) {
    self.observed = observed
    self.options = options
    self.inputs = inputs
    use = GuestUse(observed)
  }

  func creation(of resource: Resource) -> Verdict {
    let problems = unsupported(in: resource)
    if !problems.isEmpty { return .refuse(verb: "create", problems) }
    var resource = resource
    resource.set = options.set
    return .act(
      PlannedAction(
        .create(resource), reason: PlanReason(.missing, "not there yet"), effect: .none,
        source: resource.source, inputs: digest(of: resource)))
  }

  func verdict(on declared: Resource, _ stored: ObservedResource) -> Verdict {
    var resource = declared
    let old = stored.resource
    if let set = old.set, set != options.set, !options.takeOver {
      return .refuse(
        verb: "update", [.otherSet(resource.id, set, not: options.set, at: resource.source)])
    }
    let correction = stored.machine.flatMap { RunCorrection(resource.spec, $0.state) }
    let inputsChanged = inputsDiffer(resource, stored)
    let policy = UpdatePolicy(of: resource, options)
    let waiting = waitingForRestart(resource, stored, policy)
    let isForced = options.replace.contains(resource.id)
    if stored.phase == .ready, correction == nil, !inputsChanged, !isForced, waiting.isEmpty,
      stored.drift.isEmpty, old.spec == resource.spec, old.labels == resource.labels,
      old.annotations == resource.annotations, old.set == options.set
    {
      return .unchanged
    }
    resource = resource.keeping(old)
    resource.set = options.set
    var changes = metadataChanges(old, resource) + fieldChanges(resource, stored)
    if inputsChanged, resource.id.kind == .virtualMachine {
      // Another source says so already.
      if !changes.contains(where: { $0.path.hasPrefix("cloudInit.secrets") }) {
        changes.append(secretsChange(resource, stored))
      }
    }
    // What can't change in place can when it is made anew.
    let refusals = isForced ? [] : changes.filter { $0.effect == .refused }
    if !refusals.isEmpty {
      return .refuse(verb: "update", refusals.map { refusal($0, of: resource) })
    }
    let problems = unsupported(in: resource)
    if let replacement = replacement(
      resource, stored, changes, policy, inputsChanged: inputsChanged)
    {
      if !problems.isEmpty { return .refuse(verb: "replace", problems) }
      return replacement
    }
    changes = changes.map(policy.resolved)
    let forbidden = changes.filter { $0.effect == .refused }
    if !forbidden.isEmpty {
      return .refuse(verb: "update", forbidden.map { forbiddenRestart($0, of: resource) })
    }
    let mending = mending(of: stored, for: resource, policy)
    if !mending.refusals.isEmpty { return .refuse(verb: "update", mending.refusals) }
    guard let act = act(on: resource, stored, changes, mending, correction, waiting) else {
      return .unchanged
    }
    if !problems.isEmpty, !changes.isEmpty { return .refuse(verb: "update", problems) }
    return .act(act)
  }

  // MARK: Which act

  private func act(
    on resource: Resource, _ stored: ObservedResource, _ changes: [FieldChange],
    _ mending: Mending, _ correction: RunCorrection?, _ waiting: [String]
  ) -> PlannedAction? {
    func made(_ act: Act, _ reason: PlanReason, _ effect: Effect) -> PlannedAction {
      PlannedAction(
        act, reason: reason, effect: effect, changes: changes,
        source: changes.lazy.compactMap(\.source).first ?? resource.source,
        inputs: digest(of: resource))
    }
    let effect = max(changes.map(\.effect).max() ?? .none, mending.effect ?? .none)
    let update = Act.update(resource, restart: effect == .restart)
    switch stored.phase {
    case .incomplete:
      return made(
        .create(resource), PlanReason(.incomplete, because("an earlier act was cut short", stored)),
        effect)
    case .failed:
      return made(update, PlanReason(.failed, because("it is broken", stored)), effect)
    case .ready: break
    }
    if !waiting.isEmpty {
      let reason = "restart wanted by \(waiting.joined(separator: ", "))"
      return made(.update(resource, restart: true), PlanReason(.changed, reason), .restart)
    }
    if !changes.isEmpty {
      let paths = changes.map(\.path)
      let reason = paths.count == 1 ? "\(paths[0]) differs" : "\(paths.count) fields differ"
      return made(update, PlanReason(.changed, reason), effect)
    }
    if mending.effect != nil {
      return made(update, PlanReason(.drifted, mending.sentence), effect)
    }
    guard let correction, let state = stored.machine?.state else { return nil }
    let strategy = MachineFacts(resource.spec).runStrategy.rawValue
    let sentence = "run strategy \(strategy), but it is \(state.rawValue)"
    return switch correction {
    case .start: made(.start(resource.id), PlanReason(.notRunning, sentence), .none)
    case .stop: made(.stop(resource.id), PlanReason(.running, sentence), .restart)
    }
  }

  /// Whether a guest runs on it: the machine's own, or one that uses it.
  func hasGuest(_ stored: ObservedResource) -> Bool {
    stored.machine.map(\.state.hasGuest) ?? use.ids.contains(stored.resource.id)
  }

  func because(_ sentence: String, _ stored: ObservedResource) -> String {
    stored.reason.map { "\(sentence): \($0)" } ?? sentence
  }

  func digest(of resource: Resource) -> String? {
    inputs[resource.id]
  }

  private func inputsDiffer(_ resource: Resource, _ stored: ObservedResource) -> Bool {
    guard let now = digest(of: resource), let then = stored.inputs else { return false }
    return now != then && stored.phase != .incomplete
  }

  /// What waits for a restart that the policy has come at once: from before, and of its networks.
  private func waitingForRestart(
    _ resource: Resource, _ stored: ObservedResource, _ policy: UpdatePolicy
  ) -> [String] {
    guard policy.restart == .automatic, let machine = stored.machine, machine.state.hasGuest else {
      return []
    }
    let paths =
      changedNetworks.isEmpty
      ? []
      : (resource.spec["interfaces"]?.array ?? []).filter {
        changedNetworks.contains($0["network"]?.string ?? "")
      }.map { "interfaces[\($0["name"]?.string ?? "")].network" }
    return machine.restartRequired + paths.filter { !machine.restartRequired.contains($0) }
  }
}

// MARK: - Which fields

extension Comparison {
  private func metadataChanges(_ old: Resource, _ new: Resource) -> [FieldChange] {
    func change(_ name: String, _ old: [Resource.Label], _ new: [Resource.Label]) -> [FieldChange] {
      guard old != new else { return [] }
      func object(_ labels: [Resource.Label]) -> JSONValue? {
        labels.isEmpty
          ? nil
          : .object(
            JSONObject(members: labels.map { .init(name: $0.name, value: .string($0.value)) }))
      }
      return [FieldChange(path: name, before: object(old), after: object(new), effect: .none)]
    }
    let set =
      old.set == new.set
      ? []
      : [
        FieldChange(
          path: "set", before: old.set.map(JSONValue.string), after: new.set.map(JSONValue.string),
          effect: .none)
      ]
    return set + change("metadata.labels", old.labels, new.labels)
      + change("metadata.annotations", old.annotations, new.annotations)
  }

  /// What is shown of a value that refers to secrets: nothing.
  private func masked(_ value: JSONValue?) -> JSONValue? {
    value.map { ReferenceText.secrets(in: $0).isEmpty ? $0 : .sensitive }
  }

  /// The change of secrets that the specification refers to as before.
  private func secretsChange(_ resource: Resource, _ stored: ObservedResource) -> FieldChange {
    let field = Schema.table(for: .virtualMachine).field(at: "cloudInit.secrets")
    return FieldChange(
      path: "cloudInit", before: .sensitive, after: .sensitive,
      effect: effect(
        field?.effect ?? .nextBoot, hasGuest: stored.machine.map(\.state.hasGuest) ?? false,
        .virtualMachine),
      note: "a secret has another value", source: resource.place(of: "cloudInit.secrets"))
  }

  private func fieldChanges(_ resource: Resource, _ stored: ObservedResource) -> [FieldChange] {
    let hasGuest = hasGuest(stored)
    var differences = Schema.table(for: resource.id.kind)
      .differences(from: stored.resource.spec, to: resource.spec)
    if let live = stored.machine?.live { differences = live.resolved(differences) }
    return differences.map { difference in
      var change = FieldChange(
        path: difference.path, before: masked(difference.before), after: masked(difference.after),
        effect: effect(difference.effect, hasGuest: hasGuest, resource.id.kind),
        note: difference.note, source: resource.place(of: difference.path))
      if difference.path == "runStrategy", hasGuest,
        difference.after?.string == MachineSpecification.RunStrategy.halted.rawValue
      {
        change.effect = .restart
        change.note = "the guest is shut down"
      }
      if change.effect == .nextBoot, resource.id.kind == .network {
        change.note = waitingGuests(change.path, stored.resource, resource)
      }
      if difference.losesData {
        change.note = (change.note.map { "\($0); " } ?? "") + "its data is lost"
      }
      return change
    }
  }

  /// What a change really does: nothing where no guest runs.
  ///
  /// Whether a restart comes at once is for the policy to say.
  private func effect(_ effect: Effect, hasGuest: Bool, _ kind: Kind) -> Effect {
    switch effect {
    case .none, .replace, .refused: return effect
    case .live: return hasGuest ? .live : .none
    case .nextBoot, .restart:
      return hasGuest ? .nextBoot : .none
    }
  }

  private func refusal(_ change: FieldChange, of resource: Resource) -> Diagnostic {
    Diagnostic(
      "refused-change", sentence(change, of: resource), path: "spec.\(change.path)",
      at: change.source, help: change.note ?? "declare a resource of another name")
  }

  private func forbiddenRestart(_ change: FieldChange, of resource: Resource) -> Diagnostic {
    .restartForbidden(
      resource, path: "spec.\(change.path)", sentence(change, of: resource), at: change.source)
  }

  private func sentence(_ change: FieldChange, of resource: Resource) -> String {
    let schema = Schema.table(for: resource.id.kind)
    let before = schema.text(of: change.before, at: change.path)
    let after = schema.text(of: change.after, at: change.path)
    return "cannot change from \(before) to \(after)"
  }

  private func unsupported(in resource: Resource) -> [Diagnostic] {
    var found: [Diagnostic] = []
    for item in observed.unsupported where item.kind == resource.id.kind {
      for (path, value) in resource.values(at: item.path) {
        let text = value.string ?? Schema.table(for: resource.id.kind).text(of: value, at: path)
        guard item.values.isEmpty || item.values.contains(text) else { continue }
        found.append(
          Diagnostic(
            "unsupported", "\(text) is not supported here: \(item.reason)", path: path,
            at: resource.place(of: path)))
      }
    }
    return found
  }
}

extension JSONValue {
  /// What stands in a plan for what nobody is shown.
  static let sensitive: JSONValue = "(sensitive)"
}

extension Schema.Difference {
  /// Whether a disk goes that holds its machine's own data.
  fileprivate var losesData: Bool {
    guard path.hasPrefix("disks["), path.hasSuffix("]"), after == nil, let disk = before else {
      return false
    }
    return disk["volume"]?.string == nil
  }
}
