public import JSON

extension FieldType {
  /// The fields directly below: of a group, or of the elements of a list of groups.
  public var fields: [Field] {
    switch self {
    case .object(let fields), .oneOf(let fields), .keyedList(_, let fields): fields
    case .list(let element): element.fields
    default: []
    }
  }

  /// The resource that a text of this type names; nil where it names none.
  public func target(of text: String) -> ResourceID? {
    switch self {
    case .reference(let kind): ResourceID(kind, text)
    case .text(.peer):
      SecurityGroupSpecification.group(in: text).map { ResourceID(.securityGroup, $0) }
    default: nil
    }
  }

  /// What tells an element of a keyed list from the others: the value of its key, or the values of
  /// its keys joined by `/`; nil for other types and for elements that lack a key.
  public func elementKey(of element: JSONValue) -> String? {
    guard case .keyedList(let key, _) = self else { return nil }
    var texts: [String] = []
    for name in key.split(separator: "/") {
      switch element[String(name)] {
      case .string(let text): texts.append(text)
      case .integer(let number): texts.append(String(number))
      default: return nil
      }
    }
    return texts.joined(separator: "/")
  }
}

extension Schema {
  /// The field at a path such as `memory.guest`, `spec.disks[root].size` or `disks.size`; nil where
  /// there is none.
  public func field(at path: String) -> Field? {
    var fields = fields
    var found: Field?
    for (name, _) in Self.parts(of: path) {
      guard let field = fields.first(where: { $0.name == name }) else { return nil }
      found = field
      fields = field.type.fields
    }
    return found
  }

  /// The text that a value of the field at a path is shown as: `2Gi`, `500m`, `3m`.
  ///
  /// A path that names no field, or an element of a list, gives a flow of YAML.
  public func text(of value: JSONValue?, at path: String) -> String {
    guard let value else { return "unset" }
    guard let field = field(at: path) else { return FieldType.any.text(of: value) }
    if path.hasSuffix("]"), value.array == nil, !field.type.fields.isEmpty {
      return FieldType.object(field.type.fields).text(of: value)
    }
    return field.type.text(of: value)
  }

  /// The value at a path such as `disks[root].size` in a specification; nil where it is not set.
  public func value(at path: String, in spec: JSONValue) -> JSONValue? {
    var value = spec
    var type = FieldType.object(fields)
    for part in Self.parts(of: path) {
      guard let field = type.fields.first(where: { $0.name == part.name }),
        let member = value[part.name], !member.isNull
      else { return nil }
      (type, value) = (field.type, member)
      guard let key = part.key else { continue }
      guard let element = value.array?.first(where: { type.elementKey(of: $0) == key }) else {
        return nil
      }
      value = element
    }
    return value
  }

  /// The names in a path, each with the key of an element where it has one.
  static func parts(of path: String) -> [(name: String, key: String?)] {
    var parts: [(name: String, key: String?)] = [("", nil)]
    var isKey = false
    for character in path {
      switch character {
      case "[": (isKey, parts[parts.count - 1].key) = (true, "")
      case "]": isKey = false
      case "." where !isKey: parts.append(("", nil))
      default:
        if isKey {
          parts[parts.count - 1].key?.append(character)
        } else {
          parts[parts.count - 1].name.append(character)
        }
      }
    }
    if parts.first?.name == "spec" { parts.removeFirst() }
    return parts
  }
}
