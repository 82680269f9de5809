internal import Diagnostics
internal import EngineInterface
internal import JSON
internal import Resources
internal import SystemIO

/// Events as text and as JSON.
enum EventView {
  /// `2026-01-31T09:05:00Z  vm/web1  Updated  message, by root`.
  static func line(_ event: EngineEvent) -> String {
    let subject = event.id.map(shortAddress) ?? "-"
    return "\(Timestamp(seconds: event.time))  \(padded(subject, to: 18))  "
      + "\(padded(event.reason, to: 14))  \(sentence(event))"
  }

  /// What happened, and by whom.
  static func sentence(_ event: EngineEvent) -> String {
    sanitized(event.message + (event.actor.map { ", by \($0.name)" } ?? ""))
  }

  /// What else is known: the command, the place in a manifest, the fields.
  static func more(_ event: EngineEvent) -> [String] {
    var lines: [String] = []
    if let actor = event.actor {
      lines.append("command: \(actor.command) (process \(actor.processID))")
    }
    if let source = event.source { lines.append("asked for by: \(source.file):\(source.line)") }
    if !event.changes.isEmpty {
      let fields = event.changes.map { change in
        change.effect == .none ? change.path : "\(change.path) (\(change.effect.word))"
      }
      lines.append("changed: " + fields.joined(separator: ", "))
    }
    return lines.map(sanitized)
  }

  /// All of it as an object.
  static func json(_ event: EngineEvent) -> JSONValue {
    var value: JSONValue = [
      "sequence": .integer(event.sequence),
      "time": .string(Timestamp(seconds: event.time).description),
      "address": JSONValue(event.id?.description), "reason": .string(event.reason),
      "message": .string(event.message),
    ]
    if let actor = event.actor {
      value["actor"] = [
        "uid": .integer(Int64(actor.userID)), "user": JSONValue(actor.userName),
        "login": JSONValue(actor.loginName), "command": .string(actor.command),
        "process": .integer(Int64(actor.processID)),
      ]
    }
    if let source = event.source {
      value["source"] = [
        "file": .string(source.file), "line": .integer(Int64(source.line)),
        "column": .integer(Int64(source.column)),
      ]
    }
    if !event.changes.isEmpty {
      value["changes"] = .array(
        event.changes.map { ["path": .string($0.path), "effect": .string($0.effect.word)] })
    }
    return value
  }
}
