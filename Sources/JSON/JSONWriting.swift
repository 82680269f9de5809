extension JSONValue {
  /// The value as JSON text.
  ///
  /// - Parameters:
  ///   - pretty: two-space indentation, one member a line; else no spaces at all.
  ///   - sortedNames: members by name instead of by order.
  public func text(pretty: Bool = false, sortedNames: Bool = false) -> String {
    var writer = Writer(pretty: pretty, sortedNames: sortedNames)
    writer.write(self, depth: 0)
    return writer.out
  }
}

private struct Writer {
  let pretty: Bool
  let sortedNames: Bool
  var out = ""

  mutating func write(_ value: JSONValue, depth: Int) {
    switch value {
    case .null: out += "null"
    case .bool(let value): out += value ? "true" : "false"
    case .integer(let value): out += String(value)
    // JSON has no infinities; null is what every other writer gives.
    case .number(let value): out += value.isFinite ? value.description : "null"
    case .string(let value): write(string: value)
    case .array(let items):
      list("[", "]", items, depth) { writer, item in writer.write(item, depth: depth + 1) }
    case .object(let object):
      let members =
        sortedNames ? object.members.sorted { $0.name < $1.name } : object.members
      list("{", "}", members, depth) { writer, member in
        writer.write(string: member.name)
        writer.out += writer.pretty ? ": " : ":"
        writer.write(member.value, depth: depth + 1)
      }
    }
  }

  private mutating func list<Item>(
    _ open: String, _ close: String, _ items: [Item], _ depth: Int,
    _ one: (inout Writer, Item) -> Void
  ) {
    out += open
    for (index, item) in items.enumerated() {
      if index > 0 { out += "," }
      newline(depth + 1)
      one(&self, item)
    }
    if !items.isEmpty { newline(depth) }
    out += close
  }

  private mutating func newline(_ depth: Int) {
    guard pretty else { return }
    out += "\n"
    out += String(repeating: "  ", count: depth)
  }

  private mutating func write(string: String) {
    out += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      case let scalar where Self.isEscaped(scalar.value):
        let digits = String(scalar.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: out.unicodeScalars.append(scalar)
      }
    }
    out += "\""
  }

  /// Control characters, and the line breaks and marks that readers of YAML and JavaScript, which
  /// take JSON too, would read as something else.
  private static func isEscaped(_ code: UInt32) -> Bool {
    switch code {
    case 0..<0x20, 0x7f...0x9f, 0x2028, 0x2029, 0xfeff, 0xfffe, 0xffff: true
    default: false
    }
  }
}
