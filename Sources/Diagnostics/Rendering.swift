extension Diagnostic {
  /// The diagnostic as text: one line, the source line with a caret where it is at hand, the help.
  ///
  /// - Parameter line: gives the text of a line of a file, or nil where it isn't at hand.
  public func rendered(line: (SourceSpan) -> String? = { _ in nil }) -> String {
    var text = ""
    if let span { text += "\(span): " }
    text += "\(severity.rawValue)[\(code.rawValue)]: "
    if !path.isEmpty { text += "\(path): " }
    text += message
    if let span, let source = line(span) {
      let number = String(span.line)
      let margin = String(repeating: " ", count: number.count)
      // A tab keeps its width only if the caret's line repeats it.
      let before = String(source.unicodeScalars.prefix(span.column - 1))
      let lead = String(before.map { $0 == "\t" ? "\t" : " " })
      let carets = String(repeating: "^", count: span.length)
      text += "\n \(number) | \(source)\n \(margin) | \(lead)\(carets)"
    }
    if let help { text += "\nhelp: \(help)" }
    return text
  }
}
