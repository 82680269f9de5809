/// A stretch of one line of a source file.
public struct SourceSpan: Hashable, Sendable, Comparable {
  /// The file as the user named it; `<stdin>` for standard input.
  public var file: String
  /// The line, from 1.
  public var line: Int
  /// The column in characters, from 1.
  public var column: Int
  /// How many characters are marked; at least 1.
  public var length: Int

  /// Marks `length` characters at `line`:`column`.
  public init(file: String, line: Int, column: Int, length: Int = 1) {
    self.file = file
    self.line = line
    self.column = column
    self.length = max(1, length)
  }

  /// By file, then line, then column.
  public static func < (a: SourceSpan, b: SourceSpan) -> Bool {
    (a.file, a.line, a.column) < (b.file, b.line, b.column)
  }
}

extension SourceSpan: CustomStringConvertible {
  /// `file:line:column`.
  public var description: String { "\(file):\(line):\(column)" }
}
