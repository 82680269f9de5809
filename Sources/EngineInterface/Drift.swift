public import JSON
public import Resources

/// Something that is not as it was applied last, because it was changed by another way than ingot.
///
/// What only waits for the next boot is no drift; nor is what a guest does inside itself.
public struct Drift: Sendable, Hashable {
  /// The field's path without `spec.`, such as `cpu.count` or `disks[root].size`; for what is no
  /// field a word that no field has, such as `file` or `disks[root].file`.
  public var path: String
  /// What was applied last, in normal form; nil where it was not set.
  public var applied: JSONValue?
  /// What is there, in normal form; nil where it is gone.
  public var actual: JSONValue?
  /// What bringing it back to what was applied does to the running guest; `refused` where it can't
  /// be brought back, and `note` says the way round.
  public var effect: Effect
  /// How it is mended or, where it is refused, the way round; nil where the effect says it all.
  public var note: String?

  /// Describes a difference.
  public init(
    path: String, applied: JSONValue?, actual: JSONValue?, effect: Effect, note: String? = nil
  ) {
    self.path = path
    self.applied = applied
    self.actual = actual
    self.effect = effect
    self.note = note
  }
}
