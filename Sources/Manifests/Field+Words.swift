internal import JSON
internal import Resources

extension FieldType {
  /// The type in a few words.
  var summary: String {
    switch self {
    case .text(.plain): "text"
    case .text(let format): format.noun
    case .bool: "true or false"
    case .integer: "whole number"
    case .bytes: "bytes, such as 2Gi"
    case .millicores: "CPU, such as 500m"
    case .seconds: "duration, such as 90s"
    case .choice(let words): words.joined(separator: " | ")
    case .reference(let kind): "name of \(kind == .image ? "an" : "a") \(kind.rawValue)"
    case .object: "group"
    case .oneOf: "group, exactly one field set"
    case .list(.object): "list of groups"
    case .list(let element): "list of \(element.summary)"
    case .keyedList(let key, _):
      "list, told apart by \(key.split(separator: "/").joined(separator: " and "))"
    case .map: "texts by name"
    case .any: "anything"
    }
  }

  /// The limits, where there are some.
  var limits: String? {
    func range(_ limits: ClosedRange<Int64>) -> String {
      "\(text(of: .integer(limits.lowerBound))) to \(text(of: .integer(limits.upperBound)))"
    }
    switch self {
    case .integer(let limits), .bytes(let limits), .millicores(let limits), .seconds(let limits):
      return range(limits)
    case .list(let element): return element.limits
    default: return nil
    }
  }
}

extension Field {
  /// The default as a manifest would write it; nil where there is none, or it is a group's.
  var defaultText: String? {
    guard let value = defaultValue, value != [:] else { return nil }
    return type.text(of: value)
  }

  /// What a change does, in words; nil for groups, whose fields tell.
  var changeText: String? {
    switch type {
    case .object(let fields) where !fields.isEmpty: return nil
    case .oneOf: return nil
    default: break
    }
    var words = (live.map { "\($0.words), else " } ?? "") + effect.sentence
    if case .keyedList = type { words = "adding, removing or moving one: " + words }
    if let shrinking { words += "; making it smaller: \(shrinking.sentence)" }
    return words
  }

  /// What a change does, in a word or two; empty for groups.
  var changeWord: String {
    guard changeText != nil else { return "" }
    return (live.map { "\($0.words), else " } ?? "") + effect.word
      + (shrinking.map { ", smaller: \($0.word)" } ?? "")
  }
}

extension Effect {
  /// The word with its meaning.
  var sentence: String {
    switch self {
    case .none: "none (a guest doesn't notice)"
    case .live: "live (at once, the guest runs on)"
    case .nextBoot: "next-boot (stored, takes effect when the guest starts next)"
    case .restart: "restart (the guest is stopped, changed and started)"
    case .replace: "replace (destroyed and made anew)"
    case .refused: "refused"
    }
  }
}
