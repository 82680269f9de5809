internal import Diagnostics
internal import JSON

/// Diagnostics as text with the source line and a caret, and as JSON.
struct DiagnosticsView {
  /// How text is painted.
  var style: Style
  /// The text of a line of a file; nil where it isn't at hand.
  var line: (SourceSpan) -> String?

  /// All diagnostics with an empty line between them, then the count of errors and warnings.
  func text(_ diagnostics: [Diagnostic]) -> String {
    let blocks = diagnostics.map(painted)
    let errors = diagnostics.filter { $0.severity == .error }.count
    let warnings = diagnostics.count - errors
    var counts: [String] = []
    if errors > 0 { counts.append(counted(errors, "error")) }
    if warnings > 0 { counts.append(counted(warnings, "warning")) }
    let text = blocks.joined(separator: "\n\n") + "\n"
    return diagnostics.count == 1 ? text : text + "\n" + counts.joined(separator: ", ") + "\n"
  }

  private func painted(_ diagnostic: Diagnostic) -> String {
    let word = "\(diagnostic.severity.rawValue)[\(diagnostic.code.rawValue)]"
    let ink: Style.Ink = diagnostic.severity == .error ? .bad : .caution
    let lines = diagnostic.rendered(line: line).split(
      separator: "\n", omittingEmptySubsequences: false)
    return lines.enumerated().map { index, line in
      let line = line.contains("\t") ? String(line) : sanitized(String(line))
      guard index == 0, let range = line.firstRange(of: word) else { return line }
      return line.replacingCharacters(in: range, with: style.paint(word, ink))
    }.joined(separator: "\n")
  }

  /// `{"diagnostics": [{"severity", "code", "path", "message", "source", "help"}]}`.
  static func json(_ diagnostics: [Diagnostic]) -> JSONValue {
    ["format_version": "1.0", "diagnostics": .array(diagnostics.map(json))]
  }

  private static func json(_ diagnostic: Diagnostic) -> JSONValue {
    var value: JSONValue = [
      "severity": .string(diagnostic.severity.rawValue), "code": .string(diagnostic.code.rawValue),
      "path": .string(diagnostic.path), "message": .string(diagnostic.message),
    ]
    if let span = diagnostic.span {
      value["source"] = [
        "file": .string(span.file), "line": .integer(Int64(span.line)),
        "column": .integer(Int64(span.column)), "length": .integer(Int64(span.length)),
      ]
    }
    if let help = diagnostic.help { value["help"] = .string(help) }
    return value
  }
}

extension String {
  /// The text with a stretch of it replaced.
  fileprivate func replacingCharacters(in range: Range<Index>, with text: String) -> String {
    String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
  }
}
