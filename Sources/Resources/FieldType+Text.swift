public import JSON

extension FieldType {
  /// The text that a value in normal form is shown as: `2Gi`, `500m`, `3m`, `[a, b]`.
  public func text(of value: JSONValue) -> String {
    switch humanized(value) {
    case .string(let text): text
    case let value: Self.flow(value)
    }
  }

  /// The value as a manifest would write it: quantities as text, all else as it is.
  public func humanized(_ value: JSONValue) -> JSONValue {
    switch (self, value) {
    case (.bytes, .integer(let number)): .string(Quantity.text(bytes: number))
    case (.millicores, .integer(let number)): .string(Quantity.text(millicores: number))
    case (.seconds, .integer(let number)): .string(Quantity.text(seconds: number))
    case (.list(let element), .array(let items)): .array(items.map { element.humanized($0) })
    case (.keyedList(_, let fields), .array(let items)):
      .array(items.map { FieldType.object(fields).humanized($0) })
    case (.object(let fields), .object(let object)), (.oneOf(let fields), .object(let object)):
      .object(
        JSONObject(
          members: object.members.map { member in
            let type = fields.first { $0.name == member.name }?.type ?? .any
            return JSONObject.Member(name: member.name, value: type.humanized(member.value))
          }))
    default: value
    }
  }

  private static func flow(_ value: JSONValue) -> String {
    switch value {
    case .string(let text): text.isEmpty ? "''" : text
    case .array(let items): "[" + items.map(flow).joined(separator: ", ") + "]"
    case .object(let object):
      "{" + object.members.map { "\($0.name): \(flow($0.value))" }.joined(separator: ", ") + "}"
    default: value.text()
    }
  }
}
