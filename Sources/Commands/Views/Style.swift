/// Colours; they never carry a meaning that the text beside them doesn't.
struct Style: Sendable, Hashable {
  /// What a piece of text is, and so how it is painted.
  enum Ink: String, Sendable {
    case plain = ""
    case strong = "1"
    case faint = "2"
    case bad = "31"
    case good = "32"
    case caution = "33"
    case note = "36"
  }

  /// Whether anything is painted at all.
  var isColored: Bool

  /// Text as it is.
  static let plain = Style(isColored: false)

  /// Paints text (ECMA-48 select graphic rendition).
  func paint(_ text: String, _ ink: Ink) -> String {
    guard isColored, ink != .plain, !text.isEmpty else { return text }
    return "\u{1b}[\(ink.rawValue)m\(text)\u{1b}[0m"
  }
}
