/// Why a text is no JSON.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong.
  public let problem: String
  /// The byte at which it is wrong, from 0.
  public let offset: Int

  /// The problem and its place.
  public var description: String { "no valid JSON at byte \(offset): \(problem)" }
}

extension JSONValue {
  /// Parses one JSON text (RFC 8259) with nothing but white space around it.
  ///
  /// - Parameter maximumDepth: how deep lists and objects may nest, so that no input can exhaust
  ///   the stack.
  /// - Throws: `JSONError`.
  public init(parsing bytes: some Sequence<UInt8>, maximumDepth: Int = 128) throws(JSONError) {
    var parser = Parser(bytes: Array(bytes), maximumDepth: maximumDepth)
    self = try parser.whole()
  }

  /// Parses one JSON text.
  ///
  /// - Throws: `JSONError`.
  public init(parsing text: String, maximumDepth: Int = 128) throws(JSONError) {
    try self.init(parsing: text.utf8, maximumDepth: maximumDepth)
  }
}

private struct Parser {
  let bytes: [UInt8]
  let maximumDepth: Int
  var at = 0

  mutating func whole() throws(JSONError) -> JSONValue {
    let value = try value(depth: 0)
    skipSpace()
    if at < bytes.count { throw fail("text after the value") }
    return value
  }

  func fail(_ problem: String) -> JSONError { JSONError(problem: problem, offset: at) }

  mutating func skipSpace() {
    while at < bytes.count {
      switch bytes[at] {
      case 0x20, 0x09, 0x0a, 0x0d: at += 1
      default: return
      }
    }
  }

  mutating func take(_ byte: UInt8) -> Bool {
    guard at < bytes.count, bytes[at] == byte else { return false }
    at += 1
    return true
  }

  mutating func value(depth: Int) throws(JSONError) -> JSONValue {
    if depth > maximumDepth { throw fail("nested deeper than \(maximumDepth)") }
    skipSpace()
    guard at < bytes.count else { throw fail("the text ends early") }
    switch bytes[at] {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return try number()
    }
  }

  mutating func word(_ word: String, _ value: JSONValue) throws(JSONError) -> JSONValue {
    for byte in word.utf8 where !take(byte) { throw fail("unknown word") }
    return value
  }

  mutating func object(depth: Int) throws(JSONError) -> JSONValue {
    at += 1
    var members: [JSONObject.Member] = []
    var names: Set<String> = []
    skipSpace()
    if take(UInt8(ascii: "}")) { return .object(JSONObject()) }
    while true {
      skipSpace()
      guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else {
        throw fail("a name is missing")
      }
      let name = try string()
      let isNew: Bool
      if members.count < 8 {
        // A few comparisons cost less than hashing.
        isNew = !members.indices.contains { members[$0].name == name }
      } else {
        if members.count == 8 { names = Set(members.map(\.name)) }
        isNew = names.insert(name).inserted
      }
      guard isNew else { throw fail("the name '\(name)' stands twice") }
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw fail("':' is missing") }
      members.append(JSONObject.Member(name: name, value: try value(depth: depth + 1)))
      skipSpace()
      if take(UInt8(ascii: ",")) { continue }
      guard take(UInt8(ascii: "}")) else { throw fail("',' or '}' is missing") }
      return .object(JSONObject(members: members))
    }
  }

  mutating func array(depth: Int) throws(JSONError) -> JSONValue {
    at += 1
    var items: [JSONValue] = []
    skipSpace()
    if take(UInt8(ascii: "]")) { return .array([]) }
    while true {
      items.append(try value(depth: depth + 1))
      skipSpace()
      if take(UInt8(ascii: ",")) { continue }
      guard take(UInt8(ascii: "]")) else { throw fail("',' or ']' is missing") }
      return .array(items)
    }
  }

  /// A number by the grammar of RFC 8259, 6, which is narrower than Swift's.
  mutating func number() throws(JSONError) -> JSONValue {
    let start = at
    var isInteger = true
    _ = take(UInt8(ascii: "-"))
    if !take(UInt8(ascii: "0")) { try digits() }
    if take(UInt8(ascii: ".")) {
      isInteger = false
      try digits()
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      isInteger = false
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      try digits()
    }
    let text = String(decoding: bytes[start..<at], as: UTF8.self)
    if isInteger, let value = Int64(text) { return .integer(value) }
    guard let value = Double(text), value.isFinite else { throw fail("the number is too large") }
    return .number(value)
  }

  private mutating func digits() throws(JSONError) {
    let start = at
    while at < bytes.count, (0x30...0x39).contains(bytes[at]) { at += 1 }
    if at == start { throw fail("a digit is missing") }
  }

  mutating func string() throws(JSONError) -> String {
    at += 1
    let start = at
    // Most strings are of ASCII without escapes, and are taken as they stand.
    while at < bytes.count, (0x20..<0x80).contains(bytes[at]), bytes[at] != UInt8(ascii: "\""),
      bytes[at] != UInt8(ascii: "\\")
    { at += 1 }
    let plain = start..<at
    if take(UInt8(ascii: "\"")) {
      return bytes.withUnsafeBufferPointer { bytes in
        String(decoding: UnsafeBufferPointer(rebasing: bytes[plain]), as: UTF8.self)
      }
    }
    return try string(begun: plain)
  }

  /// The rest of a string that is more than that.
  private mutating func string(begun plain: Range<Int>) throws(JSONError) -> String {
    var utf8 = Array(bytes[plain])
    while at < bytes.count {
      let byte = bytes[at]
      at += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let string = String(validating: utf8, as: UTF8.self) else {
          throw fail("the string is not valid UTF-8")
        }
        return string
      case UInt8(ascii: "\\"): try escape(into: &utf8)
      case 0..<0x20: throw fail("a control character in a string")
      default: utf8.append(byte)
      }
    }
    throw fail("the string has no end")
  }

  private mutating func escape(into utf8: inout [UInt8]) throws(JSONError) {
    guard at < bytes.count else { throw fail("the string has no end") }
    let byte = bytes[at]
    at += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): utf8.append(byte)
    case UInt8(ascii: "b"): utf8.append(0x08)
    case UInt8(ascii: "f"): utf8.append(0x0c)
    case UInt8(ascii: "n"): utf8.append(0x0a)
    case UInt8(ascii: "r"): utf8.append(0x0d)
    case UInt8(ascii: "t"): utf8.append(0x09)
    case UInt8(ascii: "u"):
      var code = try hex4()
      if (0xd800..<0xdc00).contains(code) {
        guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
          throw fail("half a surrogate pair")
        }
        let low = try hex4()
        guard (0xdc00..<0xe000).contains(low) else { throw fail("half a surrogate pair") }
        code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw fail("half a surrogate pair") }
      utf8 += Array(String(Character(scalar)).utf8)
    default: throw fail("unknown escape")
    }
  }

  private mutating func hex4() throws(JSONError) -> UInt32 {
    guard at + 4 <= bytes.count,
      bytes[at] != UInt8(ascii: "+"),
      let value = UInt32(String(decoding: bytes[at..<at + 4], as: UTF8.self), radix: 16)
    else { throw fail("four hexadecimal digits are missing") }
    at += 4
    return value
  }
}
