/// Patterns of paths as gitignore(5) writes them, matched on bytes.
///
/// `*` and `?` stop at a slash, `**` does not; a slash at the front or inside ties the pattern to
/// the root, else it matches a name at any depth; a slash at the end means directories only; `!`
/// brings back what an earlier pattern left out. The last pattern that matches decides. `\` takes
/// the next character as it is. What is below a directory left out is never looked at.
struct ExcludePatterns: Sendable {
  private struct Pattern {
    var parts: [[UInt8]]
    var negated = false
    var onlyDirectories = false
  }

  private let patterns: [Pattern]

  init(_ texts: [String]) {
    patterns = texts.compactMap { Self.parse(Array($0.utf8)) }
  }

  var isEmpty: Bool { patterns.isEmpty }

  /// Whether a path, given as its parts from the root on, is left out.
  func excludes(_ path: [[UInt8]], isDirectory: Bool) -> Bool {
    var excluded = false
    for pattern in patterns where excluded == pattern.negated {
      if pattern.onlyDirectories, !isDirectory { continue }
      if Self.matches(pattern.parts[...], path[...]) { excluded = !pattern.negated }
    }
    return excluded
  }

  private static func parse(_ text: [UInt8]) -> Pattern? {
    var text = text[...]
    var pattern = Pattern(parts: [])
    if text.first == UInt8(ascii: "!") {
      pattern.negated = true
      text = text.dropFirst()
    }
    if text.last == UInt8(ascii: "/") {
      pattern.onlyDirectories = true
      text = text.dropLast()
    }
    pattern.parts = text.split(separator: UInt8(ascii: "/")).map { Array($0) }
    if pattern.parts.isEmpty { return nil }
    if !text.contains(UInt8(ascii: "/")) { pattern.parts.insert(doubleStar, at: 0) }
    return pattern
  }

  private static let doubleStar: [UInt8] = [0x2a, 0x2a]

  /// Matches part by part.
  ///
  /// Only the last `**` met is ever tried again, so that the time is bounded by the product of
  /// the lengths.
  private static func matches(_ pattern: ArraySlice<[UInt8]>, _ path: ArraySlice<[UInt8]>) -> Bool {
    glob(
      Array(pattern), Array(path), isStar: { $0 == doubleStar }, matches: { matchesName($0, $1) },
      starNeedsOne: pattern.last == doubleStar)
  }

  private static func matchesName(_ pattern: [UInt8], _ name: [UInt8]) -> Bool {
    glob(
      tokens(pattern), name, isStar: { $0 == .star },
      matches: { token, byte in
        switch token {
        case .any: true
        case .byte(let wanted): wanted == byte
        case .star: false
        }
      }, starNeedsOne: false)
  }

  private enum Token: Equatable { case star, any, byte(UInt8) }

  private static func tokens(_ pattern: [UInt8]) -> [Token] {
    var tokens: [Token] = []
    var bytes = pattern.makeIterator()
    while let byte = bytes.next() {
      switch byte {
      case UInt8(ascii: "*"): if tokens.last != .star { tokens.append(.star) }
      case UInt8(ascii: "?"): tokens.append(.any)
      case UInt8(ascii: "\\"): tokens.append(.byte(bytes.next() ?? byte))
      default: tokens.append(.byte(byte))
      }
    }
    return tokens
  }

  /// - Parameter starNeedsOne: whether a star at the end stands for one element at least, so
  ///   that `a/**` means what is in `a` and not `a`.
  private static func glob<Pattern, Element>(
    _ pattern: [Pattern], _ subject: [Element], isStar: (Pattern) -> Bool,
    matches: (Pattern, Element) -> Bool, starNeedsOne: Bool
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
}
