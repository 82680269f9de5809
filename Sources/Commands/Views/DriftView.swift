internal import EngineInterface
internal import Planning
internal import Resources

/// What was changed by another way than ingot: what was applied, and what is there.
struct DriftView {
  /// How text is painted.
  var style: Style

  /// The rows of one resource, aligned.
  func rows(_ drift: [Drift], of kind: Kind) -> [String] {
    let schema = Schema.table(for: kind)
    let width = drift.map { displayWidth($0.path) }.max() ?? 0
    return drift.map { drift in
      let applied = drift.applied.map { sanitized(schema.text(of: $0, at: drift.path)) }
      let actual = drift.actual.map { sanitized(schema.text(of: $0, at: drift.path)) }
      let note = drift.note.map { " (\(sanitized($0)))" } ?? ""
      return "       " + style.paint("~", .caution) + " \(padded(drift.path, to: width))  "
        + "\(applied ?? "unset") -> \(actual ?? "gone")" + style.paint(note, .faint)
    }
  }

  /// The section of a plan, with an empty line behind it; nothing where nothing was changed.
  func lines(_ drift: [PlannedDrift]) -> [String] {
    guard !drift.isEmpty else { return [] }
    var lines = [style.paint("Changed outside ingot:", .strong)]
    var rest = drift[...]
    while let id = rest.first?.id {
      let own = rest.prefix { $0.id == id }
      lines.append("     \(id)")
      lines += rows(own.map(\.drift), of: id.kind)
      rest = rest.dropFirst(own.count)
    }
    return lines + [""]
  }
}
