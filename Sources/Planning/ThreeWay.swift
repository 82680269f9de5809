internal import JSON
internal import Resources

// What a manifest declares, seen against what was applied last.
//
// A manifest's specification holds a default for each field that it leaves out. Where the manifest
// applied last left the field out as well, nobody ever asked for a value: what was applied stays,
// also when a later ingot has another default. Where that one did set it, its value was dropped,
// and the default comes back.
extension Resource {
  /// The resource with the values that stay.
  func keeping(_ applied: Resource) -> Resource {
    guard spec != applied.spec else { return self }
    var kept = self
    kept.spec = ThreeWay(
      declared: Set(written.paths), applied: Set(applied.written.paths)
    ).merged(
      Schema.table(for: id.kind).fields, spec, applied.spec, "spec")
    return kept
  }
}

private struct ThreeWay {
  /// The fields that the manifest sets.
  let declared: Set<String>
  /// The fields that the one applied last set.
  let applied: Set<String>

  func merged(
    _ fields: [Field], _ new: JSONValue, _ old: JSONValue, _ path: String
  ) -> JSONValue {
    var object = JSONObject()
    for field in fields {
      let value = merged(field, present(new[field.name]), present(old[field.name]), path)
      if let value { object[field.name] = value }
    }
    return .object(object)
  }

  private func merged(
    _ field: Field, _ new: JSONValue?, _ old: JSONValue?, _ group: String
  ) -> JSONValue? {
    let path = "\(group).\(field.name)"
    let isSet = declared.contains(path) || applied.contains(path)
    guard let new, let old else { return isSet || new != nil ? new : old }
    switch field.type {
    case .object(let fields): return merged(fields, new, old, path)
    case .oneOf(let fields):
      let isSame = new.object?.names == old.object?.names
      return isSame ? merged(fields, new, old, path) : isSet ? new : old
    case .keyedList(_, let fields) where isSet:
      let before = old.array ?? []
      return .array(
        (new.array ?? []).map { element in
          guard let key = field.type.elementKey(of: element),
            let other = before.first(where: { field.type.elementKey(of: $0) == key })
          else { return element }
          return merged(fields, element, other, "\(path)[\(key)]")
        })
    default: return isSet ? new : old
    }
  }

  private func present(_ value: JSONValue?) -> JSONValue? {
    value.flatMap { $0.isNull ? nil : $0 }
  }
}
