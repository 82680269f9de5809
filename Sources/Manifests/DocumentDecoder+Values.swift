internal import Diagnostics
internal import JSON
internal import Resources
internal import YAML

extension DocumentDecoder {
  /// A group of fields in the order of the table, with defaults filled in.
  ///
  /// - Parameters:
  ///   - node: what is written; nil for a group that is left out.
  ///   - group: where its fields stand; its place is marked where one is missing.
  mutating func group(_ node: YAMLNode?, _ fields: [Field], at group: Position) -> JSONObject {
    var pairs: [YAMLPair] = []
    if let node {
      guard case .mapping(let written) = node.content else {
        wrongType(node, "a group of fields", group)
        return JSONObject()
      }
      pairs = written
    }
    var members: [JSONObject.Member] = []
    members.reserveCapacity(fields.count)
    var used = 0
    for field in fields {
      let value: JSONValue?
      if let index = pairs.index(of: field.name) {
        used += 1
        value = member(field, pairs[index], of: group)
      } else {
        value = absent(field, of: group, at: nil)
      }
      if let value { members.append(JSONObject.Member(name: field.name, value: value)) }
    }
    if used < pairs.count { checkNames(pairs, among: fields.map(\.name), in: written.path(group)) }
    return JSONObject(members: members)
  }

  private mutating func member(_ field: Field, _ pair: YAMLPair, of group: Position) -> JSONValue? {
    let mark: WrittenFields.Mark
    if case .scalar = pair.value.content {
      if pair.value.isNull { return absent(field, of: group, at: span(key: pair)) }
      mark = WrittenFields.Mark(pair.value)
    } else {
      mark = WrittenFields.Mark(key: pair)
    }
    return value(pair.value, field.type, written.addField(field.name, in: group, at: mark))
  }

  /// What stands for a field without a value.
  private mutating func absent(
    _ field: Field, of group: Position, at place: SourceSpan?
  ) -> JSONValue? {
    if field.isRequired {
      diagnostics.append(
        Diagnostic(
          "missing-field", "the field is missing", path: "\(written.path(group)).\(field.name)",
          at: place ?? written.span(group), help: field.doc))
    }
    return field.filledDefault
  }

  private mutating func value(
    _ node: YAMLNode, _ type: FieldType, _ field: Position
  ) -> JSONValue? {
    switch type {
    case .object(let fields): return .object(group(node, fields, at: field))
    case .oneOf(let fields): return oneOf(node, fields, field)
    case .list(let element):
      guard let items = items(node, field) else { return nil }
      return .array(
        items.enumerated().compactMap { index, item in
          let mark = WrittenFields.Mark(item)
          return value(item, element, written.addElement(String(index), of: field, at: mark))
        })
    case .keyedList(let key, let fields): return elements(node, key, fields, field)
    case .map: return map(node, field)
    case .any: return any(node)
    default: return scalar(node, type, field)
    }
  }

  private mutating func oneOf(
    _ node: YAMLNode, _ fields: [Field], _ field: Position
  ) -> JSONValue {
    let before = diagnostics.count
    let object = group(node, fields, at: field)
    if diagnostics.count == before, object.members.count != 1 {
      let names = fields.map(\.name).joined(separator: ", ")
      let set = object.names.joined(separator: " and ")
      fail(
        "conflicting-fields", object.isEmpty ? "nothing is set" : "\(set) are set together",
        in: field, help: "write exactly one of \(names)")
    }
    return .object(object)
  }

  private mutating func items(_ node: YAMLNode, _ field: Position) -> [YAMLNode]? {
    if case .sequence(let items) = node.content { return items }
    wrongType(node, "a list", field, help: "write each item on a line of its own after '- '")
    return nil
  }

  private mutating func elements(
    _ node: YAMLNode, _ key: String, _ fields: [Field], _ field: Position
  ) -> JSONValue? {
    guard let items = items(node, field) else { return nil }
    var keys: [(name: String, element: Position)] = []
    var values: [JSONValue] = []
    values.reserveCapacity(items.count)
    for (index, item) in items.enumerated() {
      let name = Self.key(of: item, key, fields)
      let element = written.addElement(
        name ?? String(index), of: field, at: WrittenFields.Mark(item))
      values.append(.object(group(item, fields, at: element)))
      guard let name else { continue }
      if let first = keys.first(where: { $0.name == name }) {
        let place = written.span(first.element).map { "\($0)" } ?? ""
        fail(
          "duplicate-name", "'\(name)' stands twice in the list", in: element,
          help: "it stands first at \(place); give each its own \(key)")
      } else {
        keys.append((name, element))
      }
    }
    return .array(values)
  }

  /// The key of an element as it is written, or by its default; nil where it has none.
  static func key(of item: YAMLNode, _ key: String, _ fields: [Field]) -> String? {
    guard case .mapping(let pairs) = item.content else { return nil }
    func text(_ name: String) -> String? {
      pairs[name]?.value.text ?? fields.first { $0.name == name }?.defaultValue?.string
    }
    guard key.utf8.contains(UInt8(ascii: "/")) else { return text(key) }
    var texts: [String] = []
    for name in key.split(separator: "/") {
      guard let value = text(String(name)) else { return nil }
      texts.append(value)
    }
    return texts.joined(separator: "/")
  }

  private mutating func map(_ node: YAMLNode, _ field: Position) -> JSONValue? {
    guard case .mapping(let pairs) = node.content else {
      wrongType(node, "texts by name", field, help: "write 'name: text' lines")
      return nil
    }
    var members: [JSONObject.Member] = []
    for pair in pairs {
      guard let text = pair.value.text else {
        wrongType(pair.value, "a text", path: "\(written.path(field)).\(pair.key)")
        continue
      }
      members.append(JSONObject.Member(name: pair.key, value: .string(text)))
    }
    return .object(JSONObject(members: members))
  }

  private func any(_ node: YAMLNode) -> JSONValue {
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
    case .sequence(let items): return .array(items.map { any($0) })
    case .mapping(let pairs):
      return .object(
        JSONObject(
          members: pairs.map {
            JSONObject.Member(name: $0.key, value: any($0.value))
          }))
    }
  }

  /// Reports a value of another type in a field.
  mutating func wrongType(
    _ node: YAMLNode, _ expected: String, _ field: Position, help: String? = nil
  ) {
    wrongType(node, expected, path: written.path(field), help: help)
  }

  /// Reports a value of another type.
  mutating func wrongType(
    _ node: YAMLNode, _ expected: String, path: String, help: String? = nil
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
