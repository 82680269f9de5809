internal import ArgumentParser
internal import Diagnostics
internal import EngineInterface
internal import Execution
internal import JSON
internal import Resources

/// What `wait --for` names.
enum WaitGoalArgument: Equatable {
  case ready
  case halted
  case delete
  case condition(Condition.Name, Bool)
  case path(JSONPath, equals: String?)

  /// Reads `ready`, `halted`, `delete`, `condition=Paused`, `condition=Ready=False`,
  /// `jsonpath={.status.machine.state}=Running`.
  ///
  /// - Throws: `ValidationError` that says what is wrong.
  static func read(_ text: String) throws -> WaitGoalArgument {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let rest = parts.count > 1 ? String(parts[1]) : nil
    switch (parts[0], rest) {
    case ("ready", nil): return .ready
    case ("halted", nil): return .halted
    case ("delete", nil): return .delete
    case ("condition", .some(let rest)): return try condition(rest)
    case ("jsonpath", .some(let rest)): return try path(rest)
    default:
      throw ValidationError(
        "'\(text)' can't be waited for; write ready, halted, delete, condition=NAME, "
          + "condition=NAME=False or jsonpath='{.status.machine.state}'=Running")
    }
  }

  private static func condition(_ text: String) throws -> WaitGoalArgument {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let names = Condition.Name.allCases.map(\.rawValue)
    guard
      let name = Condition.Name.allCases.first(where: {
        $0.rawValue.lowercased() == parts[0].lowercased()
      })
    else {
      let near = nearest(to: String(parts[0]), among: names).map { "did you mean \($0)? " } ?? ""
      throw ValidationError(
        "there is no condition '\(parts[0])'; \(near)The conditions are "
          + names.joined(separator: ", "))
    }
    switch parts.count > 1 ? parts[1].lowercased() : "true" {
    case "true": return .condition(name, true)
    case "false": return .condition(name, false)
    default: throw ValidationError("a condition is True or False, not '\(parts[1])'")
    }
  }

  private static func path(_ text: String) throws -> WaitGoalArgument {
    // The value stands behind the closing brace; a filter may hold any sign of equality.
    guard text.hasPrefix("{"), let brace = text.lastIndex(of: "}") else {
      throw ValidationError(
        "the path '\(text)' needs braces, such as jsonpath='{.status.machine.state}'=Running")
    }
    let rest = text[text.index(after: brace)...]
    guard rest.isEmpty || rest.hasPrefix("=") else {
      throw ValidationError("'\(rest)' stands behind the path; write '=' and the value")
    }
    let value = rest.isEmpty ? nil : String(rest.dropFirst())
    if value?.isEmpty == true {
      throw ValidationError("the value behind '\(text)' is missing")
    }
    do throws(JSONPath.Problem) {
      return .path(try JSONPath(String(text[...brace])), equals: value)
    } catch {
      throw ValidationError("the path can't be read: \(error)")
    }
  }

  /// The kinds it makes sense for.
  ///
  /// - Throws: `ValidationError` where a kind has no such thing.
  func check(_ kind: Kind) throws {
    switch self {
    case .condition(let name, _) where !Condition.Name.all(of: kind).contains(name):
      let names = Condition.Name.all(of: kind).map(\.rawValue).joined(separator: ", ")
      throw ValidationError(
        "\(kind.rawValue) has no condition \(name.rawValue); its conditions are \(names)")
    case .halted where kind != .virtualMachine:
      throw ValidationError("only machines are ever halted, not \(kind.rawValue)")
    default: return
    }
  }

  /// The goal.
  var goal: WaitGoal {
    switch self {
    case .ready: return .ready
    case .halted: return .halted
    case .delete: return .deleted
    case .condition(let name, let wanted): return .condition(name, is: wanted)
    case .path(let path, let value):
      let words = value.map { "\(path)=\($0)" } ?? "\(path)"
      return WaitGoal(words) { resource in
        let found = path.values(in: ObservedJSON.one(resource))
        // Several values must all be so.
        return !found.isEmpty
          && value.map { value in found.allSatisfy { $0.word == value } } ?? true
      } found: { resource in
        let found = path.values(in: ObservedJSON.one(resource)).map(\.word)
        return found.isEmpty
          ? "\(path) leads to nothing" : "\(path) is \(found.joined(separator: ", "))"
      }
    }
  }
}
