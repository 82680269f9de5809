public import JSON

extension Schema {
  /// A specification in effect: the new one, with what is staged as it was before.
  ///
  /// `differences(from:to:)` between the result and `after` are the staged ones again.
  /// - Parameter staged: the paths of differences between the two, as `differences` gives them.
  public func inEffect(
    _ after: JSONValue, from before: JSONValue, staged: Set<String>
  ) -> JSONValue {
    staged.isEmpty ? after : Self.merged(fields, before, after, "", staged)
  }

  private static func merged(
    _ fields: [Field], _ before: JSONValue, _ after: JSONValue, _ prefix: String,
    _ staged: Set<String>
  ) -> JSONValue {
    var result = JSONObject()
    for field in fields {
      let path = prefix + field.name
      let (old, new) = (before[field.name], after[field.name])
      result[field.name] = merged(field, old, new, path, staged)
    }
    return .object(result)
  }

  private static func merged(
    _ field: Field, _ old: JSONValue?, _ new: JSONValue?, _ path: String, _ staged: Set<String>
  ) -> JSONValue? {
    guard let old, let new, old != new else { return staged.contains(path) ? old : new }
    switch field.type {
    case .object(let fields), .oneOf(let fields):
      return merged(fields, old, new, path + ".", staged)
    case .keyedList(_, let fields):
      return .array(elements(field, fields, old, new, path, staged))
    default: return staged.contains(path) ? old : new
    }
  }

  private static func elements(
    _ field: Field, _ fields: [Field], _ old: JSONValue, _ new: JSONValue, _ path: String,
    _ staged: Set<String>
  ) -> [JSONValue] {
    let before = keyed(field, old)
    let after = keyed(field, new)
    var result: [(key: String, value: JSONValue)] = []
    for (key, value) in after {
      let element = "\(path)[\(key)]"
      if let was = before.first(where: { $0.key == key }) {
        result.append((key, merged(fields, was.value, value, element + ".", staged)))
      } else if !staged.contains(element) {
        result.append((key, value))
      }
    }
    let kept = before.filter { old in
      staged.contains("\(path)[\(old.key)]") && !after.contains { $0.key == old.key }
    }
    guard staged.contains(path) else { return (result + kept).map(\.value) }
    // The order is staged: those that were there stand as they did, what is new behind them.
    let places = before.map(\.key)
    return (result + kept).enumerated().sorted { a, b in
      let left = places.firstIndex(of: a.element.key) ?? places.count + a.offset
      let right = places.firstIndex(of: b.element.key) ?? places.count + b.offset
      return left < right
    }.map(\.element.value)
  }
}
