/// Patterns of paths as gitignore(5) writes them, matched on bytes.
///
/// `*`, `?` and `[a-z]` stop at a slash, `**` does not; a slash at the front or inside ties the
/// pattern to the root, else it matches a name at any depth; a slash at the end means directories
/// only; `!` brings back what an earlier pattern left out. The last pattern that matches decides.
/// `\` takes the next character as it is; spaces at the end don't count, nor does a line that
/// begins with `#`. What is below a directory left out is never looked at.
struct PathPatterns: Sendable {
  private struct Pattern {
    var parts: [Part] = []
    var negated = false
    var onlyDirectories = false
  }

  /// What one name of a path is matched with.
  private enum Part {
    case anyPath
    case name([NameToken])
  }

  private let patterns: [Pattern]

  /// - Parameter included: patterns of what is not left out, whatever `excluded` says.
  init(excluded: [String], included: [String] = []) {
    patterns =
      excluded.compactMap { Self.parse(Array($0.utf8)) }
      + included.compactMap {
        var pattern = Self.parse(Array($0.utf8))
        pattern?.negated.toggle()
        return pattern
      }
  }

  var isEmpty: Bool { patterns.isEmpty }

  /// Whether a path, given as its parts from the root on, is left out.
  func excludes(_ path: [[UInt8]], isDirectory: Bool) -> Bool {
    var excluded = false
    for pattern in patterns where excluded == pattern.negated {
      if pattern.onlyDirectories, !isDirectory { continue }
      if Self.matches(pattern.parts, path) { excluded = !pattern.negated }
    }
    return excluded
  }

  private static func parse(_ text: [UInt8]) -> Pattern? {
    var text = withoutTrailingSpaces(text)
    var pattern = Pattern()
    if text.first == UInt8(ascii: "#") { return nil }
    if text.first == UInt8(ascii: "!") {
      pattern.negated = true
      text = text.dropFirst()
    }
    if text.last == UInt8(ascii: "/") {
      pattern.onlyDirectories = true
      text = text.dropLast()
    }
    let parts = text.split(separator: UInt8(ascii: "/"))
    if parts.isEmpty { return nil }
    if !text.contains(UInt8(ascii: "/")) { pattern.parts.append(.anyPath) }
    for part in parts {
      pattern.parts.append(
        part.elementsEqual("**".utf8) ? .anyPath : .name(NameToken.parse(part)))
    }
    return pattern
  }

  private static func withoutTrailingSpaces(_ text: [UInt8]) -> ArraySlice<UInt8> {
    var text = text[...]
    while text.last == UInt8(ascii: " "), text.dropLast().last != UInt8(ascii: "\\") {
      text = text.dropLast()
    }
    return text
  }

  private static func matches(_ pattern: [Part], _ path: [[UInt8]]) -> Bool {
    // `a/**` means what is in `a` and not `a` itself.
    var endsInPaths = false
    if case .anyPath? = pattern.last { endsInPaths = true }
    return glob(pattern, path, starNeedsOne: endsInPaths) { part in
      if case .anyPath = part { return true }
      return false
    } matches: { part, name in
      guard case .name(let tokens) = part else { return false }
      return NameToken.matches(tokens, name)
    }
  }
}

/// A piece of a pattern for one name.
private enum NameToken {
  case star
  case any
  case byte(UInt8)
  /// One byte of these, or with `negated` none of these.
  case set([ClosedRange<UInt8>], negated: Bool)

  static func parse(_ text: ArraySlice<UInt8>) -> [NameToken] {
    var tokens: [NameToken] = []
    var rest = text
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "*"):
        if case .star? = tokens.last { continue }
        tokens.append(.star)
      case UInt8(ascii: "?"): tokens.append(.any)
      case UInt8(ascii: "\\"): tokens.append(.byte(rest.popFirst() ?? byte))
      case UInt8(ascii: "["): tokens.append(parseSet(&rest) ?? .byte(byte))
      default: tokens.append(.byte(byte))
      }
    }
    return tokens
  }

  /// What follows `[`, up to the `]`; nil, with nothing taken, where none closes it.
  private static func parseSet(_ text: inout ArraySlice<UInt8>) -> NameToken? {
    var rest = text
    var negated = false
    if let first = rest.first, first == UInt8(ascii: "!") || first == UInt8(ascii: "^") {
      negated = true
      rest.removeFirst()
    }
    var ranges: [ClosedRange<UInt8>] = []
    while var low = rest.popFirst() {
      if low == UInt8(ascii: "]"), !ranges.isEmpty {
        text = rest
        return .set(ranges, negated: negated)
      }
      if low == UInt8(ascii: "\\"), let next = rest.popFirst() { low = next }
      var high = low
      if rest.first == UInt8(ascii: "-"), let end = rest.dropFirst().first,
        end != UInt8(ascii: "]")
      {
        high = end
        rest = rest.dropFirst(2)
      }
      ranges.append(low <= high ? low...high : low...low)
    }
    return nil
  }

  static func matches(_ pattern: [NameToken], _ name: [UInt8]) -> Bool {
    glob(pattern, name, starNeedsOne: false) { token in
      if case .star = token { return true }
      return false
    } matches: { token, byte in
      switch token {
      case .any: true
      case .byte(let wanted): wanted == byte
      case .set(let ranges, let negated): ranges.contains { $0.contains(byte) } != negated
      case .star: false
      }
    }
  }
}

/// Matches piece by piece.
///
/// Only the last star met is ever tried again, so that the time is bounded by the product of the
/// lengths.
/// - Parameter starNeedsOne: whether a star at the end stands for one element at least.
private func glob<Pattern, Element>(
  _ pattern: [Pattern], _ subject: [Element], starNeedsOne: Bool, isStar: (Pattern) -> Bool,
  matches: (Pattern, Element) -> Bool
) -> Bool {
  var place = 0
  var position = 0
  var retry: (place: Int, position: Int)?
  let end = starNeedsOne ? subject.count - 1 : subject.count
  while position < subject.count {
    if place < pattern.count, isStar(pattern[place]) {
      if place == pattern.count - 1 { return position <= end }
      retry = (place, position)
      place += 1
    } else if place < pattern.count, matches(pattern[place], subject[position]) {
      place += 1
      position += 1
    } else if let star = retry {
      retry = (star.place, star.position + 1)
      place = star.place + 1
      position = star.position + 1
    } else {
      return false
    }
  }
  while place < pattern.count, isStar(pattern[place]), !starNeedsOne { place += 1 }
  return place == pattern.count
}
