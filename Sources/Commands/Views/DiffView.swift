/// The difference of two texts by lines, as `diff -u` shows it.
struct DiffView {
  /// How text is painted.
  var style: Style
  /// Unchanged lines shown around a change.
  static let context = 3

  private struct Line {
    var mark: Character
    var text: String
    var old: Int
    var new: Int
  }

  /// The lines with their headings; empty where nothing differs.
  func lines(_ old: [String], _ new: [String], from: String, to: String) -> [String] {
    let merged = merge(old, new)
    let changed = merged.indices.filter { merged[$0].mark != " " }
    guard !changed.isEmpty else { return [] }
    var lines = [style.paint("--- \(from)", .strong), style.paint("+++ \(to)", .strong)]
    var start = changed.startIndex
    while start < changed.endIndex {
      var end = start
      while end + 1 < changed.endIndex, changed[end + 1] - changed[end] <= 2 * Self.context + 1 {
        end += 1
      }
      let first = max(0, changed[start] - Self.context)
      let last = min(merged.count - 1, changed[end] + Self.context)
      lines += hunk(Array(merged[first...last]))
      start = end + 1
    }
    return lines
  }

  private func hunk(_ lines: [Line]) -> [String] {
    let old = lines.filter { $0.mark != "+" }.count
    let new = lines.filter { $0.mark != "-" }.count
    let first = lines.first.map { ($0.old, $0.new) } ?? (0, 0)
    let place =
      "@@ -\(old == 0 ? first.0 : first.0 + 1),\(old) +\(new == 0 ? first.1 : first.1 + 1),\(new) @@"
    return [style.paint(place, .note)]
      + lines.map { line in
        let ink: Style.Ink = line.mark == "+" ? .good : line.mark == "-" ? .bad : .plain
        return style.paint("\(line.mark)\(line.text)", ink)
      }
  }

  /// Both texts in one, removals before insertions; each line knows how many lines of either text
  /// stand before it.
  private func merge(_ old: [String], _ new: [String]) -> [Line] {
    let difference = new.difference(from: old)
    var removed = Set<Int>()
    var inserted = Set<Int>()
    for change in difference {
      switch change {
      case .remove(let offset, _, _): removed.insert(offset)
      case .insert(let offset, _, _): inserted.insert(offset)
      }
    }
    var lines: [Line] = []
    var (i, j) = (0, 0)
    while i < old.count || j < new.count {
      if i < old.count, removed.contains(i) {
        lines.append(Line(mark: "-", text: old[i], old: i, new: j))
        i += 1
      } else if j < new.count, inserted.contains(j) {
        lines.append(Line(mark: "+", text: new[j], old: i, new: j))
        j += 1
      } else {
        guard i < old.count, j < new.count else { break }
        lines.append(Line(mark: " ", text: new[j], old: i, new: j))
        i += 1
        j += 1
      }
    }
    return lines
  }
}
