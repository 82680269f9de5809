/// Chooses resources by their labels, as Kubernetes' equality-based selectors do.
public struct LabelSelector: Sendable, Hashable, CustomStringConvertible {
  /// One condition.
  public enum Requirement: Sendable, Hashable {
    /// `k=v`: the label has the value.
    case equal(String, String)
    /// `k!=v`: the label has another value, or is not there.
    case different(String, String)
    /// `k`: the label is there.
    case present(String)
    /// `!k`: the label is not there.
    case absent(String)
  }

  /// All of which must hold.
  public var requirements: [Requirement]

  /// Parses a list with commas: `app=web,tier!=db,owner,!old`; `==` is as `=`.
  ///
  /// - Throws: `LabelSelectorError`.
  public init(_ text: String) throws(LabelSelectorError) {
    requirements = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      requirements.append(try Self.requirement(part, in: text))
    }
  }

  private static func requirement(
    _ part: Substring, in text: String
  ) throws(LabelSelectorError) -> Requirement {
    let part = part.drop { $0 == " " }
    func name(_ word: Substring) throws(LabelSelectorError) -> String {
      let name = String(word)
      guard !name.isEmpty, !name.contains(where: { " !=".contains($0) }) else {
        throw LabelSelectorError(selector: text, part: String(part))
      }
      return name
    }
    guard let sign = part.firstIndex(of: "=") else {
      return part.hasPrefix("!")
        ? .absent(try name(part.dropFirst())) : .present(try name(part))
    }
    var value = part[part.index(after: sign)...]
    let before = part[..<sign]
    if before.hasSuffix("!") { return .different(try name(before.dropLast()), String(value)) }
    if value.hasPrefix("=") { value = value.dropFirst() }
    return .equal(try name(before), String(value))
  }

  /// Whether all conditions hold.
  public func matches(_ labels: [Resource.Label]) -> Bool {
    requirements.allSatisfy { requirement in
      func value(_ name: String) -> String? { labels.first { $0.name == name }?.value }
      return switch requirement {
      case .equal(let name, let text): value(name) == text
      case .different(let name, let text): value(name) != text
      case .present(let name): value(name) != nil
      case .absent(let name): value(name) == nil
      }
    }
  }

  /// The text that is parsed.
  public var description: String {
    requirements.map { requirement in
      switch requirement {
      case .equal(let name, let value): "\(name)=\(value)"
      case .different(let name, let value): "\(name)!=\(value)"
      case .present(let name): name
      case .absent(let name): "!\(name)"
      }
    }.joined(separator: ",")
  }
}

/// Why a text is no selector.
public struct LabelSelectorError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The whole text.
  public var selector: String
  /// The condition that is none.
  public var part: String

  /// Both, and how to write it.
  public var description: String {
    "'\(part)' in the selector '\(selector)' is no condition; write k=v, k!=v, k or !k"
  }
}
