internal import Diagnostics
internal import EngineInterface
internal import JSON
internal import Planning
internal import Resources

/// A plan as text: a line an action with its symbol, effect word and reason, a line a field.
struct PlanView {
  /// How text is painted.
  var style: Style

  /// The lines, from the first action to the summary.
  func lines(_ plan: Plan) -> [String] {
    guard !plan.isEmpty else {
      return ["No changes. \(counted(plan.unchanged.count, "resource")) as declared."]
    }
    let columns = columns(plan)
    var lines = DriftView(style: style).lines(plan.drift)
    for action in plan.actions { lines += self.lines(action, of: plan, columns) }
    for refusal in plan.refused { lines += self.lines(refusal, columns) }
    return lines + ["", summary(plan)]
  }

  /// The last line: how many are added, changed (by the hardest effect of each), and so on.
  func summary(_ plan: Plan) -> String {
    let summary = plan.summary
    func changed(_ effects: Effect...) -> Int {
      effects.reduce(0) { $0 + summary.changeByEffect[$1, default: 0] }
    }
    var parts = [
      "\(summary.add) add",
      "\(summary.change) change (\(changed(.none, .live)) live, \(changed(.nextBoot)) next-boot, "
        + "\(changed(.restart, .replace)) restart)",
      "\(summary.replace) replace", "\(summary.destroy) destroy",
    ]
    if summary.retain > 0 { parts.append("\(summary.retain) retain") }
    if summary.start > 0 { parts.append("\(summary.start) start") }
    if summary.stop > 0 { parts.append("\(summary.stop) stop") }
    parts += ["\(summary.refused) refused", "\(summary.unchanged) unchanged"]
    return "Plan: " + parts.joined(separator: ", ") + "."
  }

  /// How wide the columns are, so that effect words and reasons stand below each other.
  private struct Columns {
    var subject: Int
    var effect: Int
  }

  private func columns(_ plan: Plan) -> Columns {
    let headings = plan.actions.map { displayWidth($0.id.description) }
    let refusals = plan.refused.map { displayWidth($0.id.description) }
    let changes = plan.actions.flatMap { action in
      let rows = self.rows(action)
      let pathWidth = rows.map { displayWidth($0.path) }.max() ?? 0
      return rows.map { 4 + pathWidth + 2 + displayWidth($0.values) }
    }
    // A long value pushes its own effect word out, not everybody's.
    let subject = (headings + refusals + changes.filter { $0 <= 56 }).max() ?? 0
    let effect = plan.actions.map { effectWords($0, plan).count }.max() ?? 0
    return Columns(subject: subject, effect: max(effect, "refused".count))
  }

  private func lines(_ action: PlannedAction, of plan: Plan, _ columns: Columns) -> [String] {
    let mark = Mark(action)
    let place = action.source.map { " (\($0.file):\($0.line))" } ?? ""
    let heading =
      style.paint(" \(padded(mark.symbol, to: 3)) ", mark.ink)
      + padded(action.id.description, to: columns.subject) + "  "
      + style.paint(padded(effectWords(action, plan), to: columns.effect), mark.ink)
      + style.paint("  # \(sanitized(action.reason.message))\(place)", .faint)
    let rows = self.rows(action)
    let pathWidth = rows.map { displayWidth($0.path) }.max() ?? 0
    let loss = action.lost.isEmpty ? [] : ["       lost: \(action.lost.joined(separator: ", "))"]
    return [heading] + loss
      + rows.map { row in
        let text = "\(padded(row.path, to: pathWidth))  \(row.values)"
        return "       " + style.paint(row.symbol, row.ink) + " "
          + padded(text, to: columns.subject - 4) + "  " + style.paint(row.effect, row.ink)
          + row.note
      }
  }

  private func lines(_ refusal: RefusedAction, _ columns: Columns) -> [String] {
    let diagnostic = refusal.diagnostic
    let place = diagnostic.span.map { " (\($0.file):\($0.line))" } ?? ""
    let path = diagnostic.path.isEmpty ? "" : "\(diagnostic.path): "
    var lines = [
      style.paint(" !   ", .bad) + padded(refusal.id.description, to: columns.subject) + "  "
        + style.paint(padded("refused", to: columns.effect), .bad)
        + style.paint(
          "  # \(refusal.verb): \(path)\(sanitized(diagnostic.message))\(place)", .faint)
    ]
    if let help = diagnostic.help { lines.append("       help: \(sanitized(help))") }
    return lines
  }

  private struct Row {
    var symbol: String
    var path: String
    var values: String
    var effect: String
    var note: String
    var ink: Style.Ink
  }

  private func rows(_ action: PlannedAction) -> [Row] {
    let schema = Schema.table(for: action.id.kind)
    return action.changes.map { change in
      let symbol =
        change.before?.isNull ?? true ? "+" : change.after?.isNull ?? true ? "-" : "~"
      let before = sanitized(schema.text(of: change.before, at: change.path))
      let after = sanitized(schema.text(of: change.after, at: change.path))
      let values = symbol == "+" ? after : symbol == "-" ? before : "\(before) -> \(after)"
      return Row(
        symbol: symbol, path: change.path, values: values, effect: change.effect.word,
        note: change.note.map { " (\(sanitized($0)))" } ?? "", ink: ink(of: change.effect))
    }
  }

  private func ink(of effect: Effect) -> Style.Ink {
    switch effect {
    case .none, .live: .good
    case .nextBoot: .caution
    case .restart, .replace, .refused: .bad
    }
  }

  /// The word or words of an action: what happens to a running guest.
  private func effectWords(_ action: PlannedAction, _ plan: Plan) -> String {
    switch action.act {
    case .create: return "create"
    case .delete: return "destroy"
    case .retain: return "retain"
    case .replace: return "replace"
    case .start: return "start"
    case .stop: return "stop"
    case .update:
      // What is mended may be the hardest of all.
      let effects = Set(action.changes.map(\.effect) + [action.effect])
        .subtracting([.none]).sorted()
      return effects.isEmpty
        ? action.effect.word : effects.map(\.word).joined(separator: " + ")
    }
  }
}

/// The symbol of an action and how it is painted.
private struct Mark {
  var symbol: String
  var ink: Style.Ink

  init(_ action: PlannedAction) {
    switch action.act {
    case .create: (symbol, ink) = ("+", .good)
    case .delete: (symbol, ink) = ("-", .bad)
    case .retain: (symbol, ink) = ("=", .good)
    case .replace: (symbol, ink) = ("-/+", .bad)
    case .update, .start, .stop: (symbol, ink) = ("~", .caution)
    }
  }
}

/// `1 resource`, `3 resources`.
func counted(_ count: Int, _ noun: String) -> String {
  "\(count) \(noun)\(count == 1 ? "" : "s")"
}
