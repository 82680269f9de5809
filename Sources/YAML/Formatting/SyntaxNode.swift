/// A YAML text as it is written: every node with its own spelling, and the comments between them.
indirect enum SyntaxNode {
  /// Nothing is written.
  case empty
  /// A scalar or an alias as it is written, line by line, without the indentation of later lines.
  case scalar([String])
  /// A scalar behind `|` or `>`: its header, and its lines without their common indentation.
  case block(header: String, lines: [String])
  /// A collection in brackets or braces.
  case flow(SyntaxFlow)
  /// A collection of lines; `properties` are its anchor and tag.
  case collection(SyntaxCollection)
}

/// A line between two nodes.
enum Trivia: Equatable {
  case blank
  case comment(String)
}

/// A collection in brackets or braces.
struct SyntaxFlow {
  var properties: String
  var isMapping: Bool
  var entries: [SyntaxEntry]
  /// Comments before the closing bracket.
  var trailing: [Trivia]
  /// Whether it is written on several lines, and so stays.
  var isTall: Bool
}

/// A collection of lines.
struct SyntaxCollection {
  var properties: String
  var isMapping: Bool
  var entries: [SyntaxEntry]
  /// Comments behind the last entry that are indented as the collection is.
  var trailing: [Trivia]
}

/// A pair or an item.
struct SyntaxEntry {
  /// The lines above it.
  var leading: [Trivia] = []
  /// The key as it is written; nil for an item.
  var key: String?
  /// The key's text.
  var name = ""
  /// The comment behind a key whose value begins on a later line.
  var keyComment: String?
  var value: SyntaxNode = .empty
  /// The comment behind the value.
  var comment: String?
}

/// A document.
struct SyntaxDocument {
  /// The directives above it.
  var directives: [String]
  /// Whether `---` is written above it.
  var isMarked: Bool
  var leading: [Trivia]
  var root: SyntaxNode
  var comment: String?
  var trailing: [Trivia]
}
