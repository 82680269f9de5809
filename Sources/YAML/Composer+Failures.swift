internal import Diagnostics

extension Composer {
  /// libyaml's complaint as a diagnostic with a place and, for the usual slips, the way to mend it.
  func diagnostic(of failure: EventReader.Failure) -> Diagnostic {
    var message = failure.problem
    var help = Self.help(for: failure.problem)
    let mark: YAMLMark
    switch failure.place {
    case .start: mark = YAMLMark(line: 1, column: 1)
    case .mark(let place): mark = place
    case .byte(let offset):
      mark = YAMLLines.end(of: bytes.prefix(offset))
      if let character = failure.character {
        message += " (0x\(String(character, radix: 16)))"
      }
      help = help ?? "save the file as UTF-8 text"
    }
    if let context = failure.context, let contextMark = failure.contextMark {
      message += ", \(context)"
      if contextMark != mark { message += " of line \(contextMark.line)" }
    }
    let line = YAMLLines(Array(bytes))[Int(mark.line)] ?? ""
    if line.unicodeScalars.prefix(Int(mark.column)).contains("\t") {
      help = "indent with spaces; YAML forbids tabs"
    } else if line.contains("${") {
      help = "put a reference into quotation marks where it stands between '{}' or '[]'"
    }
    return Diagnostic(
      "yaml-syntax", message,
      at: SourceSpan(file: file, line: Int(mark.line), column: Int(mark.column)), help: help)
  }

  private static func help(for problem: String) -> String? {
    switch problem {
    case "mapping values are not allowed in this context":
      "indent the line as its neighbours are, or quote a text that contains ': '"
    case "could not find expected ':'": "write 'name: value'"
    case "did not find expected key": "indent the line as its neighbours are"
    case "did not find expected '-' indicator": "begin the item with '- ', indented as the others"
    case "did not find expected ',' or ']'": "close the list with ']'"
    case "did not find expected ',' or '}'": "close the group with '}'"
    case "found unexpected end of stream": "close the quotation mark"
    case "control characters are not allowed":
      "remove the character, or write it as an escape in a text with double quotes"
    default: nil
    }
  }
}
