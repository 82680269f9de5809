public import Diagnostics
public import EngineInterface
public import JSON
public import Resources

/// What would be done to bring an engine from what it holds to what manifests declare.
///
/// A value: printed, executed, compared. The actions are a directed acyclic graph.
public struct Plan: Sendable, Hashable {
  /// The engine it was made for.
  public var engineID: String
  /// The engine's generation it was made at.
  public var generation: Int64
  /// What is to be done, in an order in which each action stands behind those it depends on.
  public var actions: [PlannedAction]
  /// What would have to be done and is refused, with the reason; the rest goes on.
  public var refused: [RefusedAction]
  /// What was changed by another way than ingot, of what is declared; by address.
  public var drift: [PlannedDrift]
  /// What the command allowed and meant.
  public var options: PlanOptions
  /// Resources that are as declared.
  public var unchanged: [ResourceID]

  /// Makes a plan.
  public init(
    engineID: String, generation: Int64, actions: [PlannedAction], refused: [RefusedAction] = [],
    drift: [PlannedDrift] = [], unchanged: [ResourceID] = [],
    options: PlanOptions = PlanOptions()
  ) {
    self.engineID = engineID
    self.generation = generation
    self.actions = actions
    self.refused = refused
    self.drift = drift
    self.unchanged = unchanged
    self.options = options
  }

  /// Whether there is nothing to do and nothing refused.
  public var isEmpty: Bool { actions.isEmpty && refused.isEmpty }
}

/// One action of a plan.
public struct PlannedAction: Sendable, Hashable {
  /// What the engine is asked to do.
  public var act: Act
  /// Why, from a closed set of reasons with a sentence each.
  public var reason: PlanReason
  /// The hardest thing that happens to a running guest.
  public var effect: Effect
  /// The fields that change, in the order of the field table; empty for create and delete.
  public var changes: [FieldChange]
  /// Where the manifest asks for it; nil where what left the manifests is deleted.
  public var source: SourceSpan?
  /// The addresses of actions of this plan that must be done before this one.
  public var dependencies: [ResourceID]
  /// For images: the digest of what it is built from.
  public var inputs: String?
  /// For what is destroyed and made anew: what is lost with it, such as `disks[root]`.
  public var lost: [String] = []

  /// Makes an action.
  public init(
    _ act: Act, reason: PlanReason, effect: Effect, changes: [FieldChange] = [],
    source: SourceSpan? = nil, dependencies: [ResourceID] = [], inputs: String? = nil
  ) {
    self.act = act
    self.reason = reason
    self.effect = effect
    self.changes = changes
    self.source = source
    self.dependencies = dependencies
    self.inputs = inputs
  }

  /// What it is done to; an address occurs once in a plan.
  public var id: ResourceID { act.id }
}

/// Why an action is in a plan.
public struct PlanReason: Sendable, Hashable {
  /// The closed set of reasons.
  public enum Code: String, Sendable, CaseIterable {
    /// Declared and not there.
    case missing
    /// Fields differ.
    case changed
    /// A field differs that can't be changed in place.
    case immutableFieldChanged
    /// It was named to be destroyed and made anew.
    case replaceRequested
    /// What an image is built from differs.
    case inputsChanged
    /// An earlier act was cut short.
    case incomplete
    /// Something was changed by another way than ingot.
    case drifted
    /// It is there, but broken.
    case failed
    /// The run strategy asks for a running guest.
    case notRunning
    /// The run strategy asks for a halted guest.
    case running
    /// It left the manifests, or was named to be destroyed.
    case removed
    /// As `removed`, but its deletion policy keeps it.
    case retained
  }

  /// Which reason.
  public var code: Code
  /// A sentence without full stop, such as `firmware.boot cannot change on an installed disk`.
  public var message: String

  /// Makes a reason.
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }
}

/// A field that differs.
public struct FieldChange: Sendable, Hashable {
  /// The path without `spec.`, such as `disks[root].size`.
  public var path: String
  /// The value in the engine, normal form; nil where it isn't set.
  public var before: JSONValue?
  /// The value declared, normal form; nil where it is no longer set.
  public var after: JSONValue?
  /// What the change does to the running guest.
  public var effect: Effect
  /// More on how it is done: `by balloon`; nil where the word says it all.
  public var note: String?
  /// Where the manifest says so; nil where no file does.
  public var source: SourceSpan?

  /// Makes a change.
  public init(
    path: String, before: JSONValue?, after: JSONValue?, effect: Effect, note: String? = nil,
    source: SourceSpan? = nil
  ) {
    self.path = path
    self.before = before
    self.after = after
    self.effect = effect
    self.note = note
    self.source = source
  }
}

/// Something that was changed by another way than ingot.
public struct PlannedDrift: Sendable, Hashable {
  /// Of which resource.
  public var id: ResourceID
  /// What was changed.
  public var drift: Drift
  /// Whether the plan's action on the resource brings it to what is declared; not where that is
  /// refused.
  public var isMended: Bool

  /// Makes a note of it.
  public init(_ id: ResourceID, _ drift: Drift, isMended: Bool) {
    self.id = id
    self.drift = drift
    self.isMended = isMended
  }
}

/// An action that is refused.
public struct RefusedAction: Sendable, Hashable {
  /// The verb: `create`, `update`, `replace`, `delete`, `start`.
  public var verb: String
  /// What it would be done to.
  public var id: ResourceID
  /// Why not, and the way round; with a place where a manifest asked for it.
  public var diagnostic: Diagnostic

  /// Makes a refusal.
  public init(verb: String, id: ResourceID, diagnostic: Diagnostic) {
    self.verb = verb
    self.id = id
    self.diagnostic = diagnostic
  }
}
