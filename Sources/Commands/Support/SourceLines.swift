internal import Diagnostics
internal import Synchronization
internal import SystemIO
internal import YAML

/// The lines of the files that manifests came from, for the line above a caret.
final class SourceLines: Sendable {
  /// The ones of this process.
  static let shared = SourceLines()

  private let texts = Mutex<[String: [UInt8]]>([:])
  private let files = Mutex<[String: YAMLLines]>([:])

  /// Keeps the text of what can't be read again, such as standard input.
  func keep(_ bytes: [UInt8], of file: String) { texts.withLock { $0[file] = bytes } }

  /// The text of a line; nil where the file or the line isn't there.
  func line(_ span: SourceSpan) -> String? {
    files.withLock { files in
      if let lines = files[span.file] { return lines[span.line] }
      // A file that went away since it was parsed only costs the quotation.
      let bytes = texts.withLock { $0[span.file] } ?? (try? readFile(span.file)) ?? []
      let lines = YAMLLines(bytes)
      files[span.file] = lines
      return lines[span.line]
    }
  }
}
