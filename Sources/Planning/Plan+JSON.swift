internal import Diagnostics
internal import EngineInterface
public import JSON
internal import Resources

extension Plan {
  /// The version of the form of `jsonValue`: a higher major one is to be refused by readers,
  /// unknown members of a higher minor one ignored.
  public static let formatVersion = "1.1"

  /// The plan as JSON, for programs; values in normal form, words from closed sets.
  ///
  /// `Schemas/plan.json` describes it.
  public var jsonValue: JSONValue { jsonValue(withResources: false) }

  /// The plan as JSON; with its resources it can be read again.
  func jsonValue(withResources: Bool) -> JSONValue {
    [
      "format_version": .string(Plan.formatVersion),
      "engine": ["id": .string(engineID), "generation": .integer(generation)],
      "options": options.jsonValue,
      "changes": .array(actions.map { $0.jsonValue(withResource: withResources) }),
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

extension PlanOptions {
  /// The options as JSON.
  fileprivate var jsonValue: JSONValue {
    [
      "restart": .bool(allowRestart), "allow_replace": .bool(allowReplace),
      "replace": addresses(replace), "prune": .bool(prune), "set": .string(set),
      "take_over": .bool(takeOver), "targets": addresses(scope.targets),
      "excluded": addresses(scope.excluded),
      "selectors": .array(scope.selectors.map { .string($0.description) }),
    ]
  }

  private func addresses(_ ids: Set<ResourceID>) -> JSONValue {
    .array(ids.sorted().map { .string($0.description) })
  }
}

extension Resource {
  /// Everything but the address as JSON.
  fileprivate var planJSON: JSONValue {
    func object(_ labels: [Label]) -> JSONValue {
      .object(JSONObject(members: labels.map { .init(name: $0.name, value: .string($0.value)) }))
    }
    let places = written.places.sorted { $0.key < $1.key }.map { path, span in
      JSONObject.Member(name: path, value: SourceSpan?.some(span).jsonValue)
    }
    return [
      "spec": spec, "labels": object(labels), "annotations": object(annotations),
      "explicit": .array(written.paths.sorted().map(JSONValue.string)), "set": JSONValue(set),
      "source": source.jsonValue, "field_sources": .object(JSONObject(members: places)),
    ]
  }
}

extension PlannedAction {
  /// The action as JSON.
  func jsonValue(withResource: Bool) -> JSONValue {
    var value = jsonValue
    guard withResource else { return value }
    value["inputs"] = JSONValue(inputs)
    value["resource"] = act.resource?.planJSON
    return value
  }

  /// The action as JSON, without what it brings the resource to.
  private var jsonValue: JSONValue {
    [
      "address": .string(id.description), "action": .string(act.verb),
      "restart": .bool(act.restarts),
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
      "length": JSONValue(self.length),
    ]
  }
}
