internal import JSON
internal import Resources

/// One resource's mention of another.
struct Reference: Hashable {
  /// The field, such as `spec.disks[root].image`.
  var path: String
  /// What it names.
  var target: ResourceID

  /// Whether what it names must be there before one that names it.
  ///
  /// Security groups may name themselves and each other; it is enough that both are there in the end.
  func isNeeded(by owner: ResourceID) -> Bool {
    owner.kind != .securityGroup || target.kind != .securityGroup
  }
}

extension Resource {
  /// The resources that this one names, in the order of the field table.
  ///
  /// Read off the table's reference fields, so that a new one is known here by itself.
  var references: [Reference] {
    var found: [Reference] = []
    Resource.collect(Schema.table(for: id.kind).fields, spec, "spec", into: &found)
    return found
  }

  private static func collect(
    _ fields: [Field], _ value: JSONValue, _ path: String, into found: inout [Reference]
  ) {
    for field in fields {
      guard let member = value[field.name] else { continue }
      collect(field.type, member, "\(path).\(field.name)", into: &found)
    }
  }

  private static func collect(
    _ type: FieldType, _ value: JSONValue, _ path: String, into found: inout [Reference]
  ) {
    switch type {
    case .reference, .text(.peer):
      if let target = value.string.flatMap(type.target) {
        found.append(Reference(path: path, target: target))
      }
    case .object(let fields), .oneOf(let fields): collect(fields, value, path, into: &found)
    case .list(let element):
      for (index, item) in (value.array ?? []).enumerated() {
        collect(element, item, "\(path)[\(index)]", into: &found)
      }
    case .keyedList(_, let fields):
      for (index, item) in (value.array ?? []).enumerated() {
        let key = type.elementKey(of: item) ?? String(index)
        collect(fields, item, "\(path)[\(key)]", into: &found)
      }
    default: break
    }
  }
}
