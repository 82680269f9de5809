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
      mark = self.mark(ofByte: offset)
      if let character = failure.character {
        message += " (0x\(String(character, radix: 16)))"
      }
      help = help ?? "save the file as UTF-8 text"
    }
    if let context = failure.context, let contextMark = failure.contextMark {
      message += ", \(context)"
      if contextMark != mark { message += " of line \(contextMark.line)" }
    }
    if isTab(mark) {
      help = "indent with spaces; YAML forbids tabs"
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

  /// Where a byte stands; characters are counted by the bytes that begin one.
  private func mark(ofByte offset: Int) -> YAMLMark {
    var mark = YAMLMark(line: 1, column: 1)
    for byte in bytes.prefix(offset) {
      if byte == UInt8(ascii: "\n") {
        mark.line += 1
        mark.column = 1
      } else if byte & 0xc0 != 0x80 {
        mark.column += 1
      }
    }
    return mark
  }

  /// Whether a tab stands at or right before a mark.
  private func isTab(_ mark: YAMLMark) -> Bool {
    var line: Int32 = 1
    var index = bytes.startIndex
    while line < mark.line, let end = bytes[index...].firstIndex(of: UInt8(ascii: "\n")) {
      index = end + 1
      line += 1
    }
    let rest = bytes[index...].prefix { $0 != UInt8(ascii: "\n") }
    return rest.prefix(Int(mark.column)).contains(UInt8(ascii: "\t"))
  }
}
