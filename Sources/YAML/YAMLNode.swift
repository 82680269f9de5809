/// A place in a text.
public struct YAMLMark: Hashable, Sendable {
  /// The line, from 1.
  public var line: Int32
  /// The column in characters, from 1.
  public var column: Int32

  /// Names a place.
  public init(line: Int32, column: Int32) {
    self.line = line
    self.column = column
  }
}

/// A node of a YAML document, with the stretch of text it came from.
public struct YAMLNode: Sendable {
  /// What a node holds.
  public enum Content: Sendable {
    /// A text with its style.
    case scalar(String, isPlain: Bool)
    /// A list.
    case sequence([YAMLNode])
    /// Pairs in the order written; keys are unique.
    case mapping([YAMLPair])
  }

  /// What the node holds.
  public var content: Content
  /// Where it begins.
  public var start: YAMLMark
  /// Where it ends; the column is that behind the last character.
  public var end: YAMLMark
  /// The number of the text that it comes from.
  public var source: Int32

  /// Makes a node.
  public init(content: Content, start: YAMLMark, end: YAMLMark, source: Int32) {
    self.content = content
    self.start = start
    self.end = end
    self.source = source
  }

  /// How many characters are marked in an error: the node, where it stands on one line.
  public var markedLength: Int {
    switch content {
    case .scalar where start.line == end.line: max(1, Int(end.column - start.column))
    default: 1
    }
  }
}

/// A key and its value.
public struct YAMLPair: Sendable {
  /// The key.
  public var key: String
  /// Where the key begins.
  public var keyStart: YAMLMark
  /// How many characters the key has in the text.
  public var keyLength: Int32
  /// The number of the text that the key comes from.
  public var source: Int32
  /// The value.
  public var value: YAMLNode

  /// Makes a pair.
  public init(
    key: String, keyStart: YAMLMark, keyLength: Int32, source: Int32, value: YAMLNode
  ) {
    self.key = key
    self.keyStart = keyStart
    self.keyLength = keyLength
    self.source = source
    self.value = value
  }
}

/// What a plain scalar stands for in YAML's core schema (YAML 1.2.2, 10.3.2).
///
/// Two differences keep texts what their writers meant: `yes`, `no`, `on` and `off` are texts, and
/// so are numbers with leading zeros or in octal, for tools disagree about their value.
public enum YAMLCoreValue: Hashable, Sendable {
  /// Nothing, `~` or `null`.
  case null
  /// `true` or `false`.
  case bool(Bool)
  /// A whole number.
  case integer(Int64)
  /// A number with fraction or exponent.
  case number(Double)
  /// Anything else.
  case text(String)

  /// Reads a plain scalar.
  public init(plain text: String) {
    guard let first = text.utf8.first, !Self.isNull(plain: text) else {
      self = .null
      return
    }
    switch text {
    case "true", "True", "TRUE": self = .bool(true)
    case "false", "False", "FALSE": self = .bool(false)
    default:
      let isNumberLike =
        (0x30...0x39).contains(first) || first == UInt8(ascii: "-")
        || first == UInt8(ascii: "+") || first == UInt8(ascii: ".")
      self = isNumberLike ? Self.number(text) : .text(text)
    }
  }

  /// Whether a plain scalar stands for nothing.
  public static func isNull(plain text: String) -> Bool {
    switch text {
    case "", "~", "null", "Null", "NULL": true
    default: false
    }
  }

  private static func number(_ text: String) -> YAMLCoreValue {
    let unsigned =
      text.utf8.first == UInt8(ascii: "-") || text.utf8.first == UInt8(ascii: "+")
      ? text.dropFirst() : text[...]
    if text.hasPrefix("0x"), let value = Int64(text.dropFirst(2), radix: 16), value >= 0,
      !text.contains("+"), !text.contains("-")
    {
      return .integer(value)
    }
    let digits = unsigned.utf8.prefix { (0x30...0x39).contains($0) }
    if digits.count > 1, digits.first == 0x30 { return .text(text) }
    if digits.endIndex == unsigned.endIndex, !digits.isEmpty {
      return Int64(text).map(YAMLCoreValue.integer) ?? .text(text)
    }
    guard
      unsigned.utf8.allSatisfy({ (0x30...0x39).contains($0) || ".eE+-".utf8.contains($0) }),
      unsigned.utf8.contains(where: { (0x30...0x39).contains($0) }),
      let value = Double(text), value.isFinite
    else { return .text(text) }
    return .number(value)
  }
}
