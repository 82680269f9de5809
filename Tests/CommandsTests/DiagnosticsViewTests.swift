import Diagnostics
import EngineInterface
import JSON
import Resources
import Testing

@testable import Commands

@Suite("What is wrong, as text and as JSON")
struct DiagnosticsViewTests {
  private let all = [
    Diagnostic(
      "unknown-field", "the field is unknown", path: "spec.memry",
      at: SourceSpan(file: "a.yaml", line: 2, column: 3, length: 5), help: "did you mean 'memory'?"),
    Diagnostic("duplicate-name", "'b' is declared twice", severity: .warning),
  ]

  @Test("the line, the caret, the help and the count")
  func text() {
    let view = DiagnosticsView(style: .plain) { $0.line == 2 ? "  memry: 1Gi" : nil }
    #expect(
      view.text(all) == """
        a.yaml:2:3: error[unknown-field]: spec.memry: the field is unknown
         2 |   memry: 1Gi
           |   ^^^^^
        help: did you mean 'memory'?

        warning[duplicate-name]: 'b' is declared twice

        1 error, 1 warning

        """)
  }

  @Test("a source line's escape sequences do not reach the terminal")
  func hostileLine() {
    let view = DiagnosticsView(style: .plain) { _ in "  \u{1b}]0;title\u{7}memry: 1" }
    #expect(!view.text(all).contains("\u{1b}"))
  }

  @Test("JSON has everything the text has")
  func json() {
    let value = DiagnosticsView.json(all)
    let first = value["diagnostics"]?.array?.first
    #expect(first?["code"]?.string == "unknown-field")
    #expect(first?["source"]?["column"]?.integer == 3)
    #expect(first?["help"]?.string == "did you mean 'memory'?")
    #expect(value["diagnostics"]?.array?.last?["source"] == nil)
  }

  @Test(
    "each engine error has its exit code",
    arguments: [
      ("busy", 1), ("protected", 3), ("unsupported", 3), ("timeout", 4), ("cancelled", 130),
    ] as [(EngineError.Code, Int32)])
  func exitCodes(code: EngineError.Code, status: Int32) {
    let report = ErrorReport(EngineError(code, "it is so", help: "do that"))
    #expect(report.status.rawValue == status)
    #expect(report.text(.plain) == "error: it is so\nhelp: do that")
  }

  @Test("the exit codes are those of the documentation")
  func closedSet() {
    #expect(ExitStatus.allCases.map(\.rawValue) == [0, 1, 2, 3, 4, 5, 6, 64, 130])
  }
}
