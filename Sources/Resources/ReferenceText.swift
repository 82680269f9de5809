public import JSON

/// A text that may refer to variables and secrets: `${var.NAME}`, `${secret.NAME}`.
///
/// `$${` stands for `${`. Any other `${` is an ordinary text, so that shell scripts stay as they are.
public enum ReferenceText {
  /// A part of a text.
  public enum Piece: Sendable, Hashable {
    /// A text as it is.
    case text(String)
    /// `$${`.
    case escape
    /// `${var.NAME}`.
    case variable(String)
    /// `${secret.NAME}`.
    case secret(String)
    /// What begins as a reference and is none, up to its brace or the text's end.
    case malformed(String)
  }

  /// The parts of a text, in order.
  public static func pieces(of text: String) -> [Piece] {
    let bytes = Array(text.utf8)
    var pieces: [Piece] = []
    var start = 0
    var index = 0
    func add(_ range: Range<Int>) {
      if !range.isEmpty { pieces.append(.text(String(decoding: bytes[range], as: UTF8.self))) }
    }
    while index < bytes.count {
      guard bytes[index] == dollar else {
        index += 1
        continue
      }
      let rest = bytes[index...]
      if rest.starts(with: escapeMark) {
        add(start..<index)
        pieces.append(.escape)
        index += escapeMark.count
        start = index
      } else if let (piece, length) = reference(rest) {
        add(start..<index)
        pieces.append(piece)
        index += length
        start = index
      } else {
        index += 1
      }
    }
    add(start..<bytes.count)
    return pieces
  }

  /// The names of the secrets that a value's texts refer to, in order; member names don't count.
  public static func secrets(in value: JSONValue) -> [String] {
    switch value {
    case .string(let text) where text.utf8.contains(dollar):
      pieces(of: text).compactMap { if case .secret(let name) = $0 { name } else { nil } }
    case .array(let items): items.flatMap(secrets)
    case .object(let object): object.members.flatMap { secrets(in: $0.value) }
    default: []
    }
  }

  /// A text written so that reading it gives the text again.
  ///
  /// - Parameter keepsSecrets: whether references to secrets are meant, as in cloud-init's data.
  public static func escaped(_ text: String, keepsSecrets: Bool = false) -> String {
    guard text.utf8.contains(dollar) else { return text }
    let bytes = Array(text.utf8)
    var out: [UInt8] = []
    for (index, byte) in bytes.enumerated() {
      if byte == dollar, bytes[(index + 1)...].first == brace {
        let isSecret = bytes[index...].starts(with: secretMark)
        let isEscaped = index > 0 && bytes[index - 1] == dollar
        if isSecret ? !keepsSecrets : isEscaped || bytes[index...].starts(with: variableMark) {
          out.append(dollar)
        }
      }
      out.append(byte)
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// Whether a text can be the name of a variable: letters, digits and `_`, no digit first.
  public static func isVariableName(_ name: some StringProtocol) -> Bool {
    guard let first = name.utf8.first, !isDigit(first) else { return false }
    return name.utf8.allSatisfy { isDigit($0) || isLetter($0) || $0 == UInt8(ascii: "_") }
  }

  private static let dollar = UInt8(ascii: "$")
  private static let brace = UInt8(ascii: "{")
  private static let escapeMark = Array("$${".utf8)
  private static let variableMark = Array("${var.".utf8)
  private static let secretMark = Array("${secret.".utf8)

  private static func reference(_ rest: ArraySlice<UInt8>) -> (Piece, length: Int)? {
    let isVariable = rest.starts(with: variableMark)
    guard isVariable || rest.starts(with: secretMark) else { return nil }
    let mark = isVariable ? variableMark.count : secretMark.count
    let inner = rest.dropFirst(mark).prefix { $0 != UInt8(ascii: "}") && $0 != 0x0a }
    let name = String(decoding: inner, as: UTF8.self)
    let end = inner.endIndex < rest.endIndex && rest[inner.endIndex] == UInt8(ascii: "}")
    let length = mark + inner.count + (end ? 1 : 0)
    let isName = isVariable ? isVariableName(name) : TextFormat.name.problem(with: name) == nil
    guard end, isName else {
      return (.malformed(String(decoding: rest.prefix(length), as: UTF8.self)), length)
    }
    return (isVariable ? .variable(name) : .secret(name), length)
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
  }
}
