/// Rows under titles, in columns as wide as what stands in them.
struct Table {
  /// A column.
  struct Column {
    /// The title.
    var title: String
    /// Whether it may be cut where the terminal is too narrow.
    var isElastic: Bool

    /// Describes a column.
    init(_ title: String, elastic: Bool = false) {
      self.title = title
      isElastic = elastic
    }
  }

  /// A cell: its text and how it is painted.
  struct Cell: ExpressibleByStringLiteral {
    /// The text.
    var text: String
    /// How it is painted.
    var ink: Style.Ink

    /// Makes a cell; controls in the text are made harmless.
    init(_ text: String, _ ink: Style.Ink = .plain) {
      self.text = sanitized(text)
      self.ink = ink
    }

    /// Makes a cell of a literal.
    init(stringLiteral value: String) { self.init(value) }
  }

  /// The columns.
  var columns: [Column]
  /// The rows; each has a cell for each column.
  var rows: [[Cell]] = []
  /// The spaces before each line.
  var indent = 0

  /// The lines: the titles, then the rows.
  ///
  /// - Parameter width: what the terminal has; nil cuts nothing.
  func lines(width: Int?, style: Style) -> [String] {
    let widths = fitted(width)
    let titles = columns.map { Cell($0.title, .faint) }
    return ([titles] + rows).map { row in
      let last = row.lastIndex { !$0.text.isEmpty } ?? 0
      var line = String(repeating: " ", count: indent)
      for (index, cell) in row.enumerated().prefix(last + 1) {
        let text = truncated(cell.text, to: widths[index])
        line += style.paint(text, cell.ink)
        guard index < last else { break }
        line += String(repeating: " ", count: widths[index] - displayWidth(text) + 2)
      }
      return line
    }
  }

  /// The widths of the columns; elastic ones give way, the widest first, but none below 8.
  private func fitted(_ width: Int?) -> [Int] {
    var widths = columns.indices.map { index in
      rows.reduce(displayWidth(columns[index].title)) { max($0, displayWidth($1[index].text)) }
    }
    guard let width else { return widths }
    var excess = widths.reduce(indent + 2 * (widths.count - 1), +) - width
    while excess > 0 {
      let elastic = columns.indices.filter { columns[$0].isElastic && widths[$0] > 8 }
      guard let widest = elastic.max(by: { widths[$0] < widths[$1] }) else { break }
      widths[widest] -= 1
      excess -= 1
    }
    return widths
  }
}
