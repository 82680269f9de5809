public import JSON

extension Schema {
  /// A field whose value differs between two specifications of one kind.
  public struct Difference: Sendable, Hashable {
    /// The path without `spec.`, such as `disks[root].size`; `disks[data]` for a whole element.
    public var path: String
    /// The value before, in normal form; nil where it was not set.
    public var before: JSONValue?
    /// The value after, in normal form; nil where it is no longer set.
    public var after: JSONValue?
    /// What the change does to a running guest.
    public var effect: Effect
    /// When it takes effect at once all the same.
    public var live: LiveCondition?
    /// How it is done or, where it is refused, the way round.
    public var note: String?
  }

  /// What differs between two normalised specifications, in the order of the table.
  ///
  /// A default that the table has gained since `before` was stored is no difference. Members that
  /// the table doesn't know are not compared.
  public func differences(from before: JSONValue, to after: JSONValue) -> [Difference] {
    if before == after { return [] }
    var comparison = FieldComparison(from: before, to: after)
    comparison.compare(fields, before, after, prefix: "")
    return comparison.found
  }

  static func keyed(_ field: Field, _ list: JSONValue) -> [(key: String, value: JSONValue)] {
    (list.array ?? []).enumerated().map { index, element in
      (field.type.elementKey(of: element) ?? String(index), element)
    }
  }
}

/// Gathers what differs between two specifications.
private struct FieldComparison {
  private(set) var found: [Schema.Difference] = []
  /// Whether what the field table has as live for such networks is so.
  private let isSegment: Bool

  init(from before: JSONValue, to after: JSONValue) {
    isSegment = [before, after].allSatisfy { spec in
      spec["mode"]?.string.flatMap(NetworkSpecification.Mode.init)?.isSegment ?? false
    }
  }

  mutating func compare(
    _ fields: [Field], _ before: JSONValue, _ after: JSONValue, prefix: String
  ) {
    let start = found.count
    for field in fields {
      let old = value(of: field, in: before)
      let new = value(of: field, in: after)
      if old != new { compare(field, old, new, prefix + field.name) }
    }
    for field in fields {
      guard let leader = field.follows,
        let leading = found[start...].first(where: { $0.path == prefix + leader }),
        let index = found[start...].firstIndex(where: { $0.path == prefix + field.name })
      else { continue }
      found[index].effect = max(found[index].effect, leading.effect)
    }
  }

  private func value(of field: Field, in spec: JSONValue) -> JSONValue? {
    if let value = spec[field.name], !value.isNull { return value }
    return field.defaultValue
  }

  private mutating func compare(
    _ field: Field, _ old: JSONValue?, _ new: JSONValue?, _ path: String
  ) {
    if let old, let new {
      switch field.type {
      case .object(let fields), .oneOf(let fields):
        return compare(fields, old, new, prefix: path + ".")
      case .keyedList(_, let fields): return compare(field, elements: fields, old, new, path)
      default: break
      }
    }
    add(path, old, new, effect(of: field, old, new), field)
  }

  private mutating func compare(
    _ field: Field, elements fields: [Field], _ old: JSONValue, _ new: JSONValue, _ path: String
  ) {
    let before = Schema.keyed(field, old)
    let after = Schema.keyed(field, new)
    let oldKeys = before.map(\.key)
    let newKeys = after.map(\.key)
    for (key, value) in before where !newKeys.contains(key) {
      add("\(path)[\(key)]", value, nil, effect(of: field), field)
    }
    for (key, value) in after {
      if let index = oldKeys.firstIndex(of: key) {
        compare(fields, before[index].value, value, prefix: "\(path)[\(key)].")
      } else {
        add("\(path)[\(key)]", nil, value, effect(of: field), field)
      }
    }
    let keptBefore = oldKeys.filter(newKeys.contains)
    let keptAfter = newKeys.filter(oldKeys.contains)
    if keptBefore != keptAfter {
      add(
        path, .array(keptBefore.map(JSONValue.string)), .array(keptAfter.map(JSONValue.string)),
        effect(of: field), field)
    }
  }

  private mutating func add(
    _ path: String, _ old: JSONValue?, _ new: JSONValue?, _ effect: Effect, _ field: Field
  ) {
    found.append(
      Schema.Difference(
        path: path, before: old, after: new, effect: effect,
        live: field.live == .segment ? nil : field.live,
        note: effect == .refused ? field.wayRound : nil))
  }

  /// The effect of a change of one field; for a group that appears or goes, the hardest of those of
  /// the fields in it.
  private func effect(of field: Field, _ old: JSONValue?, _ new: JSONValue?) -> Effect {
    switch field.type {
    case .object(let fields), .oneOf(let fields):
      fields.filter { isSaid($0, old) || isSaid($0, new) }
        .map { effect(of: $0, old?[$0.name], new?[$0.name]) }.max() ?? field.effect
    default:
      if let shrinking = field.shrinking, let old = old?.integer, let new = new?.integer,
        new < old
      {
        shrinking
      } else {
        effect(of: field)
      }
    }
  }

  private func isSaid(_ field: Field, _ group: JSONValue?) -> Bool { group?[field.name] != nil }

  private func effect(of field: Field) -> Effect {
    field.live == .segment && isSegment ? .live : field.effect
  }
}
