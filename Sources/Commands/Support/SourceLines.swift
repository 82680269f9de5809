internal import Diagnostics
internal import Synchronization
internal import SystemIO

/// The lines of the files that manifests came from, for the line above a caret.
final class SourceLines: Sendable {
  /// The ones of this process.
  static let shared = SourceLines()

  private let files = Mutex<[String: [Substring]]>([:])

  /// Keeps the text of what can't be read again, such as standard input.
  func keep(_ bytes: [UInt8], of file: String) {
    files.withLock { $0[file] = SourceLines.split(bytes) }
  }

  /// The text of a line; nil where the file or the line isn't there.
  func line(_ span: SourceSpan) -> String? {
    let lines = files.withLock { files in
      if let lines = files[span.file] { return lines }
      // A file that went away since it was parsed only costs the quotation.
      let bytes = (try? readFile(span.file)) ?? []
      files[span.file] = SourceLines.split(bytes)
      return files[span.file] ?? []
    }
    guard lines.indices.contains(span.line - 1) else { return nil }
    return String(lines[span.line - 1])
  }

  private static func split(_ bytes: [UInt8]) -> [Substring] {
    String(decoding: bytes, as: UTF8.self)
      .split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
  }
}
