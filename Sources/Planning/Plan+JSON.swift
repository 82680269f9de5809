internal import Diagnostics
internal import EngineInterface
public import JSON
internal import Resources

extension Plan {
  /// The version of the form of `jsonValue`: a higher major one is to be refused by readers,
  /// unknown members of a higher minor one ignored.
  public static let formatVersion = "1.1"

  /// The plan as JSON, for programs; values in normal form, words from closed sets.
  public var jsonValue: JSONValue {
    [
      "format_version": .string(Plan.formatVersion),
      "engine": ["id": .string(engineID), "generation": .integer(generation)],
      "changes": .array(actions.map(\.jsonValue)),
      "refused": .array(refused.map(\.jsonValue)),
      "drift": .array(drift.map(\.jsonValue)),
      "unchanged": .array(unchanged.map { .string($0.description) }),
      "summary": summary.jsonValue,
    ]
  }
}

extension PlanSummary {
  /// The numbers as JSON.
  public var jsonValue: JSONValue {
    let effects = Effect.allCases.filter { $0 != .refused }.map {
      JSONObject.Member(name: $0.word, value: JSONValue(changeByEffect[$0, default: 0]))
    }
    return [
      "add": JSONValue(add), "change": JSONValue(change),
      "change_by_effect": .object(JSONObject(members: effects)),
      "replace": JSONValue(replace), "destroy": JSONValue(destroy), "retain": JSONValue(retain),
      "start": JSONValue(start),
      "stop": JSONValue(stop), "refused": JSONValue(refused), "unchanged": JSONValue(unchanged),
    ]
  }
}

extension PlannedAction {
  /// The action as JSON.
  public var jsonValue: JSONValue {
    [
      "address": .string(id.description), "action": .string(act.verb),
      "effect": .string(effect.word),
      "reason": ["code": .string(reason.code.word), "message": .string(reason.message)],
      "fields": .array(changes.map(\.jsonValue)), "lost": .array(lost.map(JSONValue.string)),
      "source": source.jsonValue,
      "depends_on": .array(dependencies.map { .string($0.description) }),
    ]
  }
}

extension PlanReason.Code {
  /// The word in JSON, in kebab case: `not-running`.
  public var word: String {
    rawValue.reduce(into: "") { word, letter in
      word += letter.isUppercase ? "-" + letter.lowercased() : String(letter)
    }
  }
}

extension FieldChange {
  /// The change as JSON; what is not set is null.
  public var jsonValue: JSONValue {
    [
      "path": .string(path), "before": before ?? .null, "after": after ?? .null,
      "effect": .string(effect.word), "note": JSONValue(note), "source": source.jsonValue,
    ]
  }
}

extension PlannedDrift {
  /// The difference as JSON; what is not set, or gone, is null.
  public var jsonValue: JSONValue {
    [
      "address": .string(id.description), "path": .string(drift.path),
      "applied": drift.applied ?? .null, "actual": drift.actual ?? .null,
      "effect": .string(drift.effect.word), "note": JSONValue(drift.note),
      "mended": .bool(isMended),
    ]
  }
}

extension RefusedAction {
  /// The refusal as JSON.
  public var jsonValue: JSONValue {
    [
      "address": .string(id.description), "action": .string(verb),
      "code": .string(diagnostic.code.rawValue), "path": .string(diagnostic.path),
      "message": .string(diagnostic.message), "help": JSONValue(diagnostic.help),
      "source": diagnostic.span.jsonValue,
    ]
  }
}

extension SourceSpan? {
  fileprivate var jsonValue: JSONValue {
    guard let self else { return .null }
    return [
      "file": .string(self.file), "line": JSONValue(self.line), "column": JSONValue(self.column),
    ]
  }
}
