internal import Diagnostics
internal import JSON
internal import Resources
internal import YAML

extension DocumentDecoder {
  /// A group of fields in the order of the table, with defaults filled in.
  ///
  /// - Parameters:
  ///   - node: what is written; nil for a group that is left out.
  ///   - place: what is marked where a field is missing.
  mutating func group(_ node: YAMLNode?, _ fields: [Field], path: String, at place: SourceSpan)
    -> JSONObject
  {
    var pairs: [YAMLPair] = []
    if let node {
      guard case .mapping(let written) = node.content else {
        wrongType(node, "a group of fields", path)
        return JSONObject()
      }
      pairs = written
    }
    var members: [JSONObject.Member] = []
    members.reserveCapacity(fields.count)
    var used = 0
    for field in fields {
      let index = pairs.firstIndex { $0.key == field.name }
      if index != nil { used += 1 }
      if let value = member(field, index.map { pairs[$0] }, group: path, at: place) {
        members.append(JSONObject.Member(name: field.name, value: value))
      }
    }
    if used < pairs.count { checkNames(pairs, among: fields.map(\.name), in: path) }
    return JSONObject(members: members)
  }

  private mutating func member(
    _ field: Field, _ pair: YAMLPair?, group: String, at place: SourceSpan
  ) -> JSONValue? {
    guard let pair, !pair.value.isNull else {
      if field.isRequired {
        fail(
          "missing-field", "the field is missing", path: "\(group).\(field.name)",
          at: pair.map { span(key: $0) } ?? place, help: field.doc)
      }
      return field.filledDefault
    }
    let path = group + "." + field.name
    explicit.insert(path)
    if case .scalar = pair.value.content {
      fieldSources[path] = span(pair.value)
    } else {
      fieldSources[path] = span(key: pair)
    }
    return value(pair.value, field.type, path: path, at: span(key: pair))
  }

  private mutating func value(
    _ node: YAMLNode, _ type: FieldType, path: String, at place: SourceSpan
  ) -> JSONValue? {
    switch type {
    case .object(let fields): return .object(group(node, fields, path: path, at: place))
    case .oneOf(let fields): return oneOf(node, fields, path: path, at: place)
    case .list(let element):
      guard let items = items(node, path) else { return nil }
      return .array(
        items.enumerated().compactMap { index, item in
          value(item, element, path: "\(path)[\(index)]", at: span(item))
        })
    case .keyedList(let key, let fields): return elements(node, key, fields, path)
    case .map: return map(node, path)
    case .any: return any(node, path)
    default: return scalar(node, type, path)
    }
  }

  private mutating func oneOf(
    _ node: YAMLNode, _ fields: [Field], path: String, at place: SourceSpan
  ) -> JSONValue {
    let before = diagnostics.count
    let object = group(node, fields, path: path, at: place)
    if diagnostics.count == before, object.members.count != 1 {
      let names = fields.map(\.name).joined(separator: ", ")
      let set = object.names.joined(separator: " and ")
      fail(
        "conflicting-fields", object.isEmpty ? "nothing is set" : "\(set) are set together",
        path: path, at: place, help: "write exactly one of \(names)")
    }
    return .object(object)
  }

  private mutating func items(_ node: YAMLNode, _ path: String) -> [YAMLNode]? {
    if case .sequence(let items) = node.content { return items }
    wrongType(node, "a list", path, help: "write each item on a line of its own after '- '")
    return nil
  }

  private mutating func elements(
    _ node: YAMLNode, _ key: String, _ fields: [Field], _ path: String
  ) -> JSONValue? {
    guard let items = items(node, path) else { return nil }
    var keys: [String: SourceSpan] = [:]
    var values: [JSONValue] = []
    for (index, item) in items.enumerated() {
      let name = Self.key(of: item, key, fields)
      let elementPath = "\(path)[\(name ?? String(index))]"
      fieldSources[elementPath] = span(item)
      values.append(.object(group(item, fields, path: elementPath, at: span(item))))
      guard let name else { continue }
      if let first = keys[name] {
        fail(
          "duplicate-name", "'\(name)' stands twice in the list", path: elementPath, at: span(item),
          help: "it stands first at \(first); give each its own \(key)")
      } else {
        keys[name] = span(item)
      }
    }
    return .array(values)
  }

  /// The key of an element as it is written, or by its default; nil where it has none.
  static func key(of item: YAMLNode, _ key: String, _ fields: [Field]) -> String? {
    guard case .mapping(let pairs) = item.content else { return nil }
    var texts: [String] = []
    for name in key.split(separator: "/") {
      let written = pairs.first { $0.key == name }?.value.text
      let value = written ?? fields.first { $0.name == name }?.defaultValue?.string
      guard let value else { return nil }
      texts.append(value)
    }
    return texts.joined(separator: "/")
  }

  private mutating func map(_ node: YAMLNode, _ path: String) -> JSONValue? {
    guard case .mapping(let pairs) = node.content else {
      wrongType(node, "texts by name", path, help: "write 'name: text' lines")
      return nil
    }
    var object = JSONObject()
    for pair in pairs {
      guard let text = pair.value.text else {
        wrongType(pair.value, "a text", "\(path).\(pair.key)")
        continue
      }
      object[pair.key] = .string(text)
    }
    return .object(object)
  }

  private mutating func any(_ node: YAMLNode, _ path: String) -> JSONValue {
    switch node.content {
    case .scalar(let text, isPlain: false): return .string(text)
    case .scalar(let text, isPlain: true):
      switch YAMLCoreValue(plain: text) {
      case .null: return .null
      case .bool(let value): return .bool(value)
      case .integer(let value): return .integer(value)
      case .number(let value): return .number(value)
      case .text(let text): return .string(text)
      }
    case .sequence(let items): return .array(items.map { any($0, path) })
    case .mapping(let pairs):
      return .object(
        JSONObject(
          members: pairs.map {
            JSONObject.Member(name: $0.key, value: any($0.value, path))
          }))
    }
  }

  /// Reports a value of another type.
  mutating func wrongType(
    _ node: YAMLNode, _ expected: String, _ path: String, help: String? = nil
  ) {
    let found =
      switch node.content {
      case .scalar(_, isPlain: false): "the text \(node.quoted)"
      default: node.quoted
      }
    fail(
      "wrong-type", "expected \(expected), got \(found)", path: path, at: span(node), help: help)
  }
}
