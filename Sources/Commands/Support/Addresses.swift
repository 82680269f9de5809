internal import ArgumentParser
internal import Diagnostics
internal import Resources

/// Reads addresses as people type them: `vm/web1`, `vm web1 web2`, and `web1` where the kind is known.
enum Addresses {
  /// A kind from the command line.
  ///
  /// - Throws: `ValidationError` naming the kinds and the nearest one.
  static func kind(_ word: String) throws -> Kind {
    if let kind = Kind(word: word) { return kind }
    let words = Kind.allCases.flatMap { [$0.shortName, $0.rawValue.lowercased()] }
    let near = nearest(to: word, among: words).map { ", did you mean \($0)?" } ?? ";"
    let all = Kind.allCases.map { "\($0.shortName) (\($0.rawValue))" }.joined(separator: ", ")
    throw ValidationError("unknown kind '\(word)'\(near) the kinds are \(all)")
  }

  /// Addresses from words; every word with a slash is one, else the first is the kind.
  ///
  /// - Parameter fallback: the kind of words without one; nil demands a kind.
  static func resources(_ words: [String], fallback: Kind? = nil) throws -> [ResourceID] {
    guard let first = words.first else { throw ValidationError("no resource named") }
    if !first.contains("/"), words.count > 1, let kind = Kind(word: first) {
      return try words.dropFirst().map { try one($0, fallback: kind) }
    }
    return try words.map { try one($0, fallback: fallback) }
  }

  /// Exactly one address.
  static func resource(_ words: [String], fallback: Kind? = nil) throws -> ResourceID {
    let all = try resources(words, fallback: fallback)
    guard all.count == 1 else {
      throw ValidationError(
        "one resource expected, \(all.count) given: \(words.joined(separator: " "))")
    }
    return all[0]
  }

  /// The names of machines.
  static func machines(_ words: [String]) throws -> [String] {
    try resources(words, fallback: .virtualMachine).map { id in
      guard id.kind == .virtualMachine else {
        throw ValidationError("\(id) is no virtual machine; write vm/NAME or NAME")
      }
      return id.name
    }
  }

  private static func one(_ word: String, fallback: Kind?) throws -> ResourceID {
    let parts = word.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    switch parts.count {
    case 1:
      guard let fallback else {
        throw ValidationError("'\(word)' names no kind; write KIND/NAME, such as vm/\(word)")
      }
      guard !word.isEmpty else { throw ValidationError("an empty name") }
      return ResourceID(fallback, word)
    case 2 where !parts[0].isEmpty && !parts[1].isEmpty:
      return ResourceID(try kind(parts[0]), parts[1])
    default:
      throw ValidationError("'\(word)' is no address; write KIND/NAME, such as vm/web1")
    }
  }
}
