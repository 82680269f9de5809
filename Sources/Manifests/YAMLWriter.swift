internal import JSON
internal import YAML

/// Writes a value as YAML in block style, so that reading it gives the same value.
struct YAMLWriter {
  private(set) var text = ""

  /// Writes the members of an object, one a line at the given depth.
  mutating func write(_ object: JSONObject, depth: Int = 0) {
    for member in object.members {
      indent(depth)
      text += Self.scalar(member.name) + ":"
      write(member.value, after: depth)
    }
  }

  /// Writes what stands behind `name:` or `-`, beginning on the same line.
  private mutating func write(_ value: JSONValue, after depth: Int) {
    switch value {
    case .object(let object) where !object.isEmpty:
      text += "\n"
      write(object, depth: depth + 1)
    case .array(let items) where !items.isEmpty:
      text += "\n"
      for item in items { write(item: item, depth: depth + 1) }
    case .string(let string) where Self.isLiteral(string): write(literal: string, depth: depth + 1)
    default: text += " " + Self.flow(value) + "\n"
    }
  }

  /// Writes an item of a list; `isInline` where its line has been begun.
  private mutating func write(item: JSONValue, depth: Int, isInline: Bool = false) {
    if !isInline { indent(depth) }
    switch item {
    case .object(let object) where !object.isEmpty:
      text += "- " + Self.scalar(object.members[0].name) + ":"
      write(object.members[0].value, after: depth + 1)
      write(JSONObject(members: Array(object.members.dropFirst())), depth: depth + 1)
    case .array(let items) where !items.isEmpty:
      text += "- "
      for (index, item) in items.enumerated() {
        write(item: item, depth: depth + 1, isInline: index == 0)
      }
    default:
      text += "-"
      write(item, after: depth)
    }
  }

  private mutating func write(literal: String, depth: Int) {
    text += literal.hasSuffix("\n\n") ? " |+\n" : literal.hasSuffix("\n") ? " |\n" : " |-\n"
    var lines = literal.split(separator: "\n", omittingEmptySubsequences: false)
    if literal.hasSuffix("\n") { lines.removeLast() }
    for line in lines {
      if !line.isEmpty { indent(depth) }
      text += line + "\n"
    }
  }

  private mutating func indent(_ depth: Int) { text += String(repeating: "  ", count: depth) }

  private static func flow(_ value: JSONValue) -> String {
    switch value {
    case .string(let string): scalar(string)
    case .array: "[]"
    case .object: "{}"
    default: value.text()
    }
  }

  /// Whether a text of several lines can stand as a literal block.
  private static func isLiteral(_ text: String) -> Bool {
    guard let first = text.unicodeScalars.first, first != " ", first != "\n",
      text.utf8.contains(UInt8(ascii: "\n"))
    else { return false }
    return text.unicodeScalars.allSatisfy { $0 == "\n" || isPrintable($0) }
  }

  /// A text on one line, in quotation marks where it would be read as something else without.
  static func scalar(_ text: String) -> String {
    let words = ["y", "n", "yes", "no", "on", "off"]
    guard let first = text.utf8.first, isSafeStart(first), text.utf8.allSatisfy(isSafe),
      !words.contains(text.lowercased()), case .text = YAMLCoreValue(plain: text)
    else { return quoted(text) }
    return text
  }

  private static func isSafeStart(_ byte: UInt8) -> Bool {
    isSafe(byte) && byte != UInt8(ascii: "-") && byte != UInt8(ascii: "=")
  }

  private static func isSafe(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "-._/+=".utf8.contains(byte)
    }
  }

  /// Characters that YAML reads back as they are in quotation marks: no line breaks of any script,
  /// no control characters, no byte order mark.
  private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x20...0x7e, 0xa0...0x2027, 0x202a...0xd7ff, 0xe000...0xfefe, 0xff00...0xfffd,
      0x10000...0x10ffff:
      true
    default: false
    }
  }

  private static func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\t": out += "\\t"
      case let scalar where isPrintable(scalar): out.unicodeScalars.append(scalar)
      default:
        let digits = String(scalar.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }
    }
    return out + "\""
  }
}
