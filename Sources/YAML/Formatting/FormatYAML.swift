public import Diagnostics

/// Lays a YAML text out in one way: two spaces for each level, one behind `:`, `-` and `,`, none at
/// the end of a line, one line break at the end, at most one empty line between two.
///
/// Comments stay with what follows them. Texts keep their quotation marks and collections their
/// brackets. The result means the same and is laid out already, which is checked.
///
/// - Parameters:
///   - file: the name for diagnostics.
///   - keyOrder: the keys that the root of a document begins with, in this order.
/// - Throws: `Diagnostics` where the text can't be read, or can't be laid out without changing what
///   it means.
public func formatYAML(
  _ bytes: [UInt8], file: String, keyOrder: [String]
) throws(Diagnostics) -> [UInt8] {
  let before = parseYAML(bytes, file: file)
  let broken = before.diagnostics.filter { $0.code == "yaml-syntax" || $0.code == "yaml-limit" }
  guard broken.isEmpty else { throw Diagnostics(broken) }
  func failure(_ message: String, at mark: YAMLMark = YAMLMark(line: 1, column: 1)) -> Diagnostics {
    Diagnostics([
      Diagnostic(
        "not-formatted", message,
        at: SourceSpan(file: file, line: Int(mark.line), column: Int(mark.column)),
        help: "the file is left as it is; lay this part out by hand")
    ])
  }
  do {
    let documents = try syntax(of: YAMLLines(bytes).joined)
    let writer = SyntaxWriter(keyOrder: keyOrder)
    let result = writer.text(documents)
    guard haveSameMeaning(before, parseYAML(Array(result.utf8), file: file)) else {
      throw failure("laying it out would change what it means")
    }
    let written = try syntax(of: result)
    guard comments(documents).sorted() == comments(written).sorted() else {
      throw failure("laying it out would lose a comment")
    }
    // Else `--check` would never be content.
    guard writer.text(written) == result else {
      throw failure("laying it out again would give another text")
    }
    return Array(result.utf8)
  } catch let error as SyntaxReader.Unsupported {
    throw failure("\(error.message) can't be laid out", at: error.mark)
  } catch let error as Diagnostics {
    throw error
  } catch {
    throw failure("\(error)")
  }
}

private func syntax(of text: String) throws -> [SyntaxDocument] {
  let bytes = Array(text.utf8)
  return try bytes.withUnsafeBufferPointer { buffer in
    var reader = SyntaxReader(EventReader(buffer), text)
    return try reader.documents()
  }
}

private func haveSameMeaning(_ a: YAMLStream, _ b: YAMLStream) -> Bool {
  a.documents.count == b.documents.count && a.diagnostics.count == b.diagnostics.count
    && zip(a.documents, b.documents).allSatisfy { isSame($0.root, $1.root, anyOrder: true) }
}

/// Whether two nodes hold the same; the pairs of a document's root may stand in another order.
private func isSame(_ a: YAMLNode, _ b: YAMLNode, anyOrder: Bool = false) -> Bool {
  switch (a.content, b.content) {
  case (.scalar(let x, let isPlainX), .scalar(let y, let isPlainY)):
    return x == y && isPlainX == isPlainY
  case (.sequence(let x), .sequence(let y)):
    return x.count == y.count && zip(x, y).allSatisfy { isSame($0, $1) }
  case (.mapping(let x), .mapping(let y)):
    func sorted(_ pairs: [YAMLPair]) -> [YAMLPair] {
      anyOrder ? pairs.sorted { $0.key < $1.key } : pairs
    }
    return x.count == y.count
      && zip(sorted(x), sorted(y)).allSatisfy { $0.key == $1.key && isSame($0.value, $1.value) }
  default: return false
  }
}

// MARK: - Comments

private func comments(_ documents: [SyntaxDocument]) -> [String] {
  documents.flatMap { document in
    comments(document.leading) + comments(document.root) + [document.comment].compactMap { $0 }
      + comments(document.trailing)
  }
}

private func comments(_ trivia: [Trivia]) -> [String] {
  trivia.compactMap { if case .comment(let text) = $0 { text } else { nil } }
}

private func comments(_ entries: [SyntaxEntry]) -> [String] {
  entries.flatMap { entry in
    comments(entry.leading) + [entry.keyComment, entry.comment].compactMap { $0 }
      + comments(entry.value)
  }
}

private func comments(_ node: SyntaxNode) -> [String] {
  switch node {
  case .empty, .scalar: []
  case .block(let header, _): header.firstIndex(of: "#").map { [String(header[$0...])] } ?? []
  case .flow(let flow): comments(flow.entries) + comments(flow.trailing)
  case .collection(let collection): comments(collection.entries) + comments(collection.trailing)
  }
}
