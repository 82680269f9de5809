internal import CLibyaml

/// Reads a text into syntax: libyaml's events tell the nodes, the text between them the comments.
struct SyntaxReader {
  private let events: EventReader
  private let text: [Unicode.Scalar]
  /// How far the text has been taken in.
  private var position = 0

  /// What is fine YAML and can't be laid out anew.
  struct Unsupported: Error {
    var message: String
    var mark: YAMLMark
  }

  /// Takes a text without byte order mark that libyaml reads to its end.
  init(_ events: EventReader, _ text: String) {
    self.events = events
    self.text = Array(text.unicodeScalars)
  }

  mutating func documents() throws(Unsupported) -> [SyntaxDocument] {
    var documents: [SyntaxDocument] = []
    while events.advance(), events.type != YAML_STREAM_END_EVENT {
      guard events.type == YAML_DOCUMENT_START_EVENT else { continue }
      documents.append(try document())
    }
    if documents.isEmpty {
      let trailing = trivia(to: text.count)
      documents.append(
        SyntaxDocument(
          directives: [], isMarked: false, leading: trailing, root: .empty, comment: nil,
          trailing: []))
    } else {
      documents[documents.count - 1].trailing += trivia(to: text.count)
    }
    return documents
  }

  private mutating func document() throws(Unsupported) -> SyntaxDocument {
    let range = events.range
    let above = trivia(to: range.lowerBound)
    let written = String(slice(range))
    let directives = written.split(separator: "\n").map(trimmed).filter { $0.hasPrefix("%") }
    let isMarked = written.hasSuffix("---")
    if isMarked { position = range.upperBound }
    let comment = isMarked ? lineComment() : nil
    _ = events.advance()
    var leading = above
    if let comment { leading.append(.comment(comment)) }
    var root = SyntaxEntry()
    try read(into: &root, leading: &leading)
    _ = events.advance()
    // The end of a document that is not marked is where the next one begins.
    let trailing = trivia(to: events.range.lowerBound)
    position = max(position, events.range.upperBound)
    return SyntaxDocument(
      directives: directives, isMarked: isMarked, leading: leading, root: root.value,
      comment: root.comment, trailing: trailing)
  }

  /// Reads the node that begins with the current event as an entry's value.
  private mutating func read(
    into entry: inout SyntaxEntry, leading: inout [Trivia], indent: Int = 0
  )
    throws(Unsupported)
  {
    let range = events.range
    switch events.type {
    case YAML_SEQUENCE_START_EVENT, YAML_MAPPING_START_EVENT:
      let isMapping = events.type == YAML_MAPPING_START_EVENT
      let properties = properties(at: range.lowerBound)
      if events.isFlow {
        leading += trivia(to: range.lowerBound)
        position = range.lowerBound
        entry.value = .flow(try flow(isMapping, properties, startLine: events.start.line))
        entry.comment = lineComment()
      } else {
        if entry.key != nil { entry.keyComment = lineComment(past: range.lowerBound) }
        if !properties.isEmpty {
          leading += trivia(to: range.lowerBound)
          position = range.lowerBound + properties.unicodeScalars.count
          if entry.key != nil, entry.keyComment == nil { entry.keyComment = lineComment() }
        }
        entry.value = .collection(try collection(isMapping, properties))
      }
    case YAML_SCALAR_EVENT where events.isBlockScalar:
      leading += trivia(to: range.lowerBound)
      entry.value = blockScalar(range, indent: indent)
    default:
      leading += trivia(to: range.lowerBound)
      position = max(position, range.upperBound)
      if !range.isEmpty { entry.value = .scalar(lines(of: range)) }
      entry.comment = lineComment()
    }
  }

  private mutating func collection(_ isMapping: Bool, _ properties: String) throws(Unsupported)
    -> SyntaxCollection
  {
    var entries: [SyntaxEntry] = []
    var column = 0
    while events.advance(), !isEnd {
      var entry = SyntaxEntry()
      if entries.isEmpty { column = isMapping ? Int(events.start.column) : itemColumn() }
      entry.leading = trivia(to: events.range.lowerBound)
      if isMapping { try readKey(into: &entry) }
      var leading: [Trivia] = []
      try read(into: &entry, leading: &leading, indent: column - 1)
      entry.leading += leading.filter { $0 != .blank }
      entries.append(entry)
    }
    return SyntaxCollection(
      properties: properties, isMapping: isMapping, entries: entries,
      trailing: trailing(deeperThan: column, next: events.range.lowerBound))
  }

  private mutating func flow(_ isMapping: Bool, _ properties: String, startLine: Int32)
    throws(Unsupported) -> SyntaxFlow
  {
    var flow = SyntaxFlow(
      properties: properties, isMapping: isMapping, entries: [], trailing: [], isTall: false)
    while events.advance(), !isEnd {
      var entry = SyntaxEntry()
      entry.leading = trivia(to: events.range.lowerBound).filter { $0 != .blank }
      if isMapping { try readKey(into: &entry) }
      var leading: [Trivia] = []
      try read(into: &entry, leading: &leading)
      entry.leading += leading.filter { $0 != .blank }
      // The comma stands before the comment.
      if entry.comment == nil { entry.comment = lineComment(past: position, over: ",") }
      flow.entries.append(entry)
    }
    let end = events.range
    flow.trailing = trivia(to: end.lowerBound).filter { $0 != .blank }
    // A pair alone in brackets has no brackets of its own.
    position = max(position, end.upperBound)
    flow.isTall = events.end.line != startLine
    return flow
  }

  private mutating func readKey(into entry: inout SyntaxEntry) throws(Unsupported) {
    let range = events.range
    guard events.type == YAML_SCALAR_EVENT || events.type == YAML_ALIAS_EVENT,
      !slice(range).contains(where: { $0 == "\n" })
    else {
      throw Unsupported(message: "a key that is no text of one line", mark: events.start)
    }
    entry.key = String(slice(range))
    if events.type == YAML_SCALAR_EVENT { entry.name = events.text }
    position = max(position, range.upperBound)
    _ = events.advance()
  }

  private var isEnd: Bool {
    events.type == YAML_MAPPING_END_EVENT || events.type == YAML_SEQUENCE_END_EVENT
  }

  // MARK: Scalars

  private func lines(of range: Range<Int>) -> [String] {
    String(slice(range)).split(separator: "\n", omittingEmptySubsequences: false).map(trimmed)
  }

  private mutating func blockScalar(_ range: Range<Int>, indent: Int) -> SyntaxNode {
    let written = String(slice(range))
    var all = written.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let header = trimmed(all.removeFirst())
    let indicator = header.prefix { $0 != "#" }.drop { $0 != "|" && $0 != ">" }
    let keeps = indicator.contains("+")
    // The last line break ends the last line.
    if all.last.map({ $0.allSatisfy { $0 == " " } }) == true { all.removeLast() }
    let isOpen = !events.text.isEmpty && !events.text.hasSuffix("\n") && !indicator.contains("-")
    position = range.upperBound
    if !keeps {
      while let last = all.last, last.allSatisfy({ $0 == " " }) { all.removeLast() }
      // Empty lines behind it stand before what follows.
      while position > 0, position > range.lowerBound,
        text[position - 1] == "\n" || text[position - 1] == " "
      {
        position -= 1
      }
    }
    let first = all.first { !$0.allSatisfy { $0 == " " } } ?? ""
    let base =
      indicator.compactMap(\.wholeNumberValue).first.map { max(0, indent) + $0 }
      ?? first.prefix { $0 == " " }.count
    let lines = all.map { line in
      line.prefix(base).allSatisfy { $0 == " " } ? String(line.dropFirst(base)) : trimmed(line)
    }
    return .block(
      header: Self.header(
        header, needsIndicator: lines.first { !$0.isEmpty }?.first == " ",
        strips: isOpen),
      lines: lines)
  }

  /// The header with the indicator of an indentation by two, where one is needed.
  private static func header(_ header: String, needsIndicator: Bool, strips: Bool) -> String {
    guard let at = header.firstIndex(where: { $0 == "|" || $0 == ">" }) else { return header }
    let rest = header[header.index(after: at)...]
    let indicators = rest.prefix { $0 == "+" || $0 == "-" || $0.isNumber }
    let chomping = strips ? "-" : String(indicators.filter { !$0.isNumber })
    return String(header[...at]) + (needsIndicator ? "2" : "") + chomping
      + rest[indicators.endIndex...]
  }

  // MARK: Between nodes

  private func slice(_ range: Range<Int>) -> String.UnicodeScalarView {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: text[range.clamped(to: 0..<text.count)])
    return view
  }

  /// The column of the `-` before the current event, from 1.
  private func itemColumn() -> Int {
    var index = min(events.range.lowerBound, text.count) - 1
    while index > position, text[index] != "-" { index -= 1 }
    return column(of: max(0, index))
  }

  private func column(of index: Int) -> Int {
    var start = index
    while start > 0, text[start - 1] != "\n" { start -= 1 }
    return index - start + 1
  }

  /// The anchor and the tag that stand at a place.
  private func properties(at start: Int) -> String {
    var index = start
    var end = start
    while index < text.count, text[index] == "&" || text[index] == "!" {
      while index < text.count, !text[index].properties.isWhitespace { index += 1 }
      end = index
      while index < text.count, text[index] == " " { index += 1 }
    }
    return String(slice(start..<end))
  }

  /// The comment behind what was read last, on the same line; it is taken in.
  ///
  /// - Parameters:
  ///   - limit: where the next node begins.
  ///   - over: what may stand before the comment.
  private mutating func lineComment(past limit: Int? = nil, over marks: String = ":") -> String? {
    var index = position
    var sawSpace = false
    while index < text.count {
      let scalar = text[index]
      if scalar == " " || scalar == "\t" {
        sawSpace = true
      } else if scalar == "#", sawSpace {
        break
      } else if limit != nil, marks.unicodeScalars.contains(scalar) {
        sawSpace = false
      } else {
        return nil
      }
      index += 1
    }
    guard index < text.count else { return nil }
    var end = index
    while end < text.count, text[end] != "\n" { end += 1 }
    position = end
    return trimmed(String(slice(index..<end)))
  }

  /// The comments and empty lines up to a place, which are taken in.
  private mutating func trivia(to end: Int) -> [Trivia] {
    guard end > position else { return [] }
    let found = Self.trivia(in: text[position..<min(end, text.count)])
    position = end
    return found.map(\.trivia)
  }

  private static func trivia(in gap: ArraySlice<Unicode.Scalar>) -> [(trivia: Trivia, start: Int)] {
    var found: [(Trivia, Int)] = []
    var index = gap.startIndex
    var isFirst = true
    while index <= gap.endIndex {
      let end = gap[index...].firstIndex(of: "\n") ?? gap.endIndex
      let line = gap[index..<end]
      if let hash = line.indices.first(where: { at in
        gap[at] == "#" && (at == gap.startIndex || gap[at - 1].properties.isWhitespace)
      }) {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: gap[hash..<end])
        found.append((.comment(trimmed(String(view))), hash))
      } else if !isFirst, end < gap.endIndex, line.allSatisfy(\.properties.isWhitespace),
        found.last?.0 != .blank
      {
        found.append((.blank, index))
      }
      isFirst = false
      index = end + 1
    }
    return found
  }

  /// Comments before the next node that are indented as a collection that ends here.
  private mutating func trailing(deeperThan column: Int, next: Int) -> [Trivia] {
    let end = min(next, text.count)
    guard end > position else { return [] }
    let nextColumn = next < text.count ? self.column(of: next) : 0
    var taken: [Trivia] = []
    var waiting: [Trivia] = []
    for (trivia, start) in Self.trivia(in: text[position..<end]) {
      if case .comment = trivia {
        let own = self.column(of: start)
        guard own >= column, own > nextColumn else { break }
        taken += waiting + [trivia]
        waiting = []
        position = start + trivia.length
      } else {
        waiting.append(trivia)
      }
    }
    return taken
  }
}

extension Trivia {
  /// How many characters it has.
  fileprivate var length: Int {
    if case .comment(let text) = self { text.unicodeScalars.count } else { 0 }
  }
}

/// A text without white space around it.
func trimmed(_ text: some StringProtocol) -> String {
  var view = Substring(text).unicodeScalars
  while let first = view.first, first == " " || first == "\t" || first == "\r" {
    view.removeFirst()
  }
  while let last = view.last, last == " " || last == "\t" || last == "\r" { view.removeLast() }
  return String(Substring(view))
}
