/// How many columns of a terminal a text takes.
///
/// Wide and emoji characters take two, combining marks and controls none (UAX #11, in the coarse
/// ranges that terminals agree on).
func displayWidth(_ text: String) -> Int {
  // Nearly everything printed here is ASCII.
  if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) { return text.utf8.count }
  return text.reduce(0) { $0 + width(of: $1) }
}

private func width(of character: Character) -> Int {
  guard let scalar = character.unicodeScalars.first else { return 0 }
  switch scalar.properties.generalCategory {
  case .control, .format, .nonspacingMark, .enclosingMark: return 0
  default: break
  }
  if scalar.properties.isEmojiPresentation { return 2 }
  switch scalar.value {
  case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff,
    0xfe30...0xfe6f, 0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1faff, 0x20000...0x3fffd:
    return 2
  default: return 1
  }
}

/// The text cut to at most `width` columns, with `…` where something is missing.
func truncated(_ text: String, to width: Int) -> String {
  guard displayWidth(text) > width else { return text }
  guard width > 0 else { return "" }
  var kept = ""
  var used = 1
  for character in text {
    used += displayWidth(String(character))
    if used > width { break }
    kept.append(character)
  }
  return kept + "…"
}

/// The text with spaces behind it up to `width` columns.
func padded(_ text: String, to width: Int) -> String {
  text + String(repeating: " ", count: max(0, width - displayWidth(text)))
}

/// Text from a guest or another program, safe to print: controls become `.`, so that no escape
/// sequence in it reaches the terminal.
func sanitized(_ text: String) -> String {
  guard text.unicodeScalars.contains(where: isControl) else { return text }
  var safe = String.UnicodeScalarView()
  for scalar in text.unicodeScalars { safe.append(isControl(scalar) ? "." : scalar) }
  return String(safe)
}

private func isControl(_ scalar: Unicode.Scalar) -> Bool {
  scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
}
