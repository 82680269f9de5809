internal import Diagnostics
internal import JSON
internal import Resources
internal import YAML

extension DocumentDecoder {
  /// A value that is written as one text.
  mutating func scalar(_ node: YAMLNode, _ type: FieldType, _ field: Position) -> JSONValue? {
    guard case .scalar(let text, let isPlain) = node.content else {
      wrongType(node, Self.noun(type), field)
      return nil
    }
    switch type {
    case .bool: return bool(node, text, isPlain, field)
    case .integer(let limits): return integer(node, text, isPlain, limits, field)
    case .bytes(let limits):
      return quantity(node, limits, field, Quantity.text(bytes:)) { () throws(QuantityError) in
        try Quantity.bytes(text)
      }
    case .millicores(let limits):
      return quantity(node, limits, field, Quantity.text(millicores:)) { () throws(QuantityError) in
        try Quantity.millicores(text)
      }
    case .seconds(let limits):
      return quantity(node, limits, field, Quantity.text(seconds:)) { () throws(QuantityError) in
        try Quantity.seconds(text)
      }
    case .choice(let words):
      if words.contains(text) { return .string(text) }
      fail(
        "invalid-value", "\(node.quoted) is none of \(words.joined(separator: ", "))", in: field,
        at: span(node), help: nearest(to: text, among: words).map { "did you mean '\($0)'?" })
      return nil
    case .reference:
      guard let name = self.text(node, text, .name, field) else { return nil }
      refer(to: type.target(of: name), field)
      return .string(name)
    case .text(let format):
      guard let text = self.text(node, text, format, field) else { return nil }
      refer(to: type.target(of: text), field)
      return .string(text)
    default: return .string(text)
    }
  }

  private mutating func refer(to target: ResourceID?, _ field: Position) {
    guard let target else { return }
    references.append(Reference(target: target, position: field))
  }

  private mutating func text(
    _ node: YAMLNode, _ text: String, _ format: TextFormat, _ field: Position
  ) -> String? {
    let text = format.normalized(text)
    if let problem = format.problem(with: text) {
      fail(
        format == .name ? "invalid-name" : "invalid-value", problem, in: field, at: span(node),
        help: format.help)
      return nil
    }
    return format == .path ? absolutePath(text, in: sources.directory(of: node)) : text
  }

  private mutating func bool(_ node: YAMLNode, _ text: String, _ isPlain: Bool, _ field: Position)
    -> JSONValue?
  {
    let value = YAMLCoreValue(plain: text)
    if isPlain, case .bool(let value) = value { return .bool(value) }
    var help = "write true or false"
    if case .bool = value {
      help = "remove the quotation marks"
    } else if ["yes", "on", "y"].contains(text.lowercased()) {
      help = "write true"
    } else if ["no", "off", "n"].contains(text.lowercased()) {
      help = "write false"
    }
    wrongType(node, "true or false", field, help: help)
    return nil
  }

  private mutating func integer(
    _ node: YAMLNode, _ text: String, _ isPlain: Bool, _ limits: ClosedRange<Int64>,
    _ field: Position
  ) -> JSONValue? {
    let value = YAMLCoreValue(plain: text)
    guard case .integer(let number) = value, isPlain else {
      var help: String?
      if case .integer = value {
        help = "remove the quotation marks"
      } else if text.hasPrefix("0") {
        help = "write a decimal number without leading zeros"
      }
      wrongType(node, "a whole number", field, help: help)
      return nil
    }
    return within(limits, number, node, field) { String($0) }
  }

  private mutating func quantity(
    _ node: YAMLNode, _ limits: ClosedRange<Int64>, _ field: Position, _ text: (Int64) -> String,
    _ parse: () throws(QuantityError) -> Int64
  ) -> JSONValue? {
    do throws(QuantityError) {
      return within(limits, try parse(), node, field, text)
    } catch {
      fail("invalid-value", error.description, in: field, at: span(node), help: error.help)
      return nil
    }
  }

  private mutating func within(
    _ limits: ClosedRange<Int64>, _ number: Int64, _ node: YAMLNode, _ field: Position,
    _ text: (Int64) -> String
  ) -> JSONValue? {
    if limits.contains(number) { return .integer(number) }
    fail(
      "out-of-range", "\(node.quoted) is out of range", in: field, at: span(node),
      help: "at least \(text(limits.lowerBound)), at most \(text(limits.upperBound))")
    return nil
  }

  private static func noun(_ type: FieldType) -> String {
    switch type {
    case .bool: "true or false"
    case .integer: "a whole number"
    case .bytes: "a quantity such as 2Gi"
    case .millicores: "a quantity such as 500m"
    case .seconds: "a duration such as 30s"
    case .reference(let kind): "the name of a \(kind.rawValue)"
    default: "a text"
    }
  }
}

/// A path made absolute and freed of `.`, `..` and doubled slashes, by its text alone.
func absolutePath(_ path: String, in directory: String) -> String {
  let whole = path.hasPrefix("/") ? path : directory + "/" + path
  var parts: [Substring] = []
  for part in whole.split(separator: "/") {
    switch part {
    case ".": continue
    case "..": _ = parts.popLast()
    default: parts.append(part)
    }
  }
  return "/" + parts.joined(separator: "/")
}
